# Renders the files of /secrets, and keeps them as Vault has them. It has no token on disk: there is no sink, since
# nothing but its templates needs one.
vault {
  address = "http://vault:8200"
}

auto_auth {
  method "approle" {
    config = {
      role_id_file_path                   = "/agent/role-id"
      secret_id_file_path                 = "/agent/secret-id"
      remove_secret_id_file_after_reading = false
    }
  }
}

template_config {
  # Secrets of this engine have no lease: this is how soon a changed one is seen.
  static_secret_render_interval = "30s"
  # Nothing is rendered from what is missing, and the agent tries again.
  exit_on_retry_failure = false
}

# A new file takes the place of the old one, in one step; where nothing has changed, nothing is written. No copy of an
# earlier secret is kept. All users of the containers that mount the volume read them: their numbers differ.
template {
  source               = "/opt/cosmo/agent/templates/artifacts.env.ctmpl"
  destination          = "/secrets/artifacts.env"
  perms                = "0444"
  error_on_missing_key = true
  backup               = false
}

template {
  source               = "/opt/cosmo/agent/templates/minio.env.ctmpl"
  destination          = "/secrets/minio.env"
  perms                = "0444"
  error_on_missing_key = true
  backup               = false
}

template {
  source               = "/opt/cosmo/agent/templates/seaweedfs.env.ctmpl"
  destination          = "/secrets/seaweedfs.env"
  perms                = "0444"
  error_on_missing_key = true
  backup               = false
}

template {
  source               = "/opt/cosmo/agent/templates/postgres.env.ctmpl"
  destination          = "/secrets/postgres.env"
  perms                = "0444"
  error_on_missing_key = true
  backup               = false
}

template {
  source               = "/opt/cosmo/agent/templates/cosmo.env.ctmpl"
  destination          = "/secrets/cosmo.env"
  perms                = "0444"
  error_on_missing_key = true
  backup               = false
}
