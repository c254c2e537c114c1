# artifactstore on a PostgreSQL and a bucket that are there, with secrets from Vault. docs/containers.md says how.
variable "image" {
  type    = string
  default = "registry.example.org/artifactstore:0.2.0"
}

variable "endpoint" {
  type    = string
  default = "https://rgw.example.org"
}

variable "bucket" {
  type    = string
  default = "artifacts"
}

job "artifactstore" {
  type = "service"

  update {
    max_parallel     = 1
    canary           = 1
    auto_promote     = true
    auto_revert      = true
    min_healthy_time = "15s"
    healthy_deadline = "5m"
  }

  group "servers" {
    count = 2

    constraint {
      distinct_hosts = true
    }

    network {
      port "http" {
        to = 8000
      }
    }

    service {
      name = "artifactstore"
      port = "http"

      check {
        type     = "http"
        path     = "/readyz"
        interval = "5s"
        timeout  = "5s"

        # A name that every server takes, also where ARTIFACTSTORE_ALLOWED_HOSTS lists others.
        header {
          Host = ["localhost"]
        }
      }
    }

    # Uploads wait here that cannot go straight to the bucket; none of them was acknowledged yet.
    ephemeral_disk {
      size = 20480
    }

    # Ends before the server starts; a database that is up to date stays as it is.
    task "migrate" {
      driver = "docker"
      user   = "10001:10001"

      lifecycle {
        hook = "prestart"
      }

      vault {
        role = "artifactstore"
      }

      config {
        image           = var.image
        args            = ["migrate"]
        readonly_rootfs = true
        cap_drop        = ["all"]
        security_opt    = ["no-new-privileges"]

        mount {
          type   = "tmpfs"
          target = "/var/lib/artifactstore"
          tmpfs_options {
            size = 1073741824
          }
        }
      }

      template {
        destination = "${NOMAD_SECRETS_DIR}/settings.env"
        env         = true
        change_mode = "noop"
        data        = <<-END
          {{ with secret "kv/data/artifactstore" -}}
          ARTIFACTSTORE_DATABASE_URL={{ .Data.data.database_url | toJSON }}
          {{ end -}}
        END
      }

      resources {
        cpu    = 100
        memory = 512
      }
    }

    task "server" {
      driver = "docker"
      user   = "10001:10001"
      # ARTIFACTSTORE_SHUTDOWN_GRACE_SECONDS and 20 more.
      kill_timeout   = "50s"
      kill_signal    = "SIGTERM"
      shutdown_delay = "5s"

      vault {
        role = "artifactstore"
      }

      config {
        image           = var.image
        args            = ["serve"]
        ports           = ["http"]
        readonly_rootfs = true
        cap_drop        = ["all"]
        security_opt    = ["no-new-privileges"]

        mount {
          type   = "bind"
          source = "../alloc/data"
          target = "/var/lib/artifactstore"
        }
      }

      env {
        ARTIFACTSTORE_STORAGE_BACKENDS  = "s3"
        ARTIFACTSTORE_S3_ENDPOINT_URL   = var.endpoint
        ARTIFACTSTORE_S3_BUCKET         = var.bucket
        ARTIFACTSTORE_S3_ACCESS_KEY_REF = "env:BUCKET_ACCESS_KEY"
        ARTIFACTSTORE_S3_SECRET_KEY_REF = "env:BUCKET_SECRET_KEY"
        ARTIFACTSTORE_RETENTION_AUTORUN = "true"
      }

      # Values of Vault that change start the server again.
      template {
        destination = "${NOMAD_SECRETS_DIR}/settings.env"
        env         = true
        change_mode = "restart"
        data        = <<-END
          {{ with secret "kv/data/artifactstore" -}}
          ARTIFACTSTORE_DATABASE_URL={{ .Data.data.database_url | toJSON }}
          ARTIFACTSTORE_AUTH_TOKENS={{ .Data.data.auth_tokens | toJSON }}
          BUCKET_ACCESS_KEY={{ .Data.data.access_key | toJSON }}
          BUCKET_SECRET_KEY={{ .Data.data.secret_key | toJSON }}
          {{ end -}}
        END
      }

      resources {
        cpu        = 500
        memory     = 512
        memory_max = 1024
      }
    }
  }
}
