# One OpenBao with its data on disk. Only the stack's internal network reaches it, without TLS; where the network is
# shared with others, give the listener a certificate and the agent `https:`.
storage "raft" {
  path    = "/openbao/data"
  node_id = "one"
}

listener "tcp" {
  address     = "0.0.0.0:8200"
  tls_disable = true
}

api_addr      = "http://vault:8200"
cluster_addr  = "http://vault:8201"
disable_mlock = true
ui            = false
