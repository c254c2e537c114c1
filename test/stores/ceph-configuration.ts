import { randomBytes } from 'node:crypto';

export interface CephOptions {
  readonly directory: string;
  readonly clusterId: string;
  readonly store: 'memstore' | 'bluestore';
  /** The monitor's; the ten after it are the object store daemon's, and the next one is the gateway's. */
  readonly firstPort: number;
  /** Lines for the gateway. */
  readonly configuration: readonly string[];
}

export const cephPorts = 12;

export function gatewayPort(firstPort: number): number {
  return firstPort + cephPorts - 1;
}

/**
 * One monitor, one object store daemon, one gateway; one copy of everything; only 127.0.0.1. There is no manager
 * daemon: nothing here needs one.
 */
export function cephConfiguration({ directory, clusterId, store, firstPort, configuration }: CephOptions): string {
  const gibibyte = 1024 ** 3;
  return `[global]
fsid = ${clusterId}
mon_host = ${monitorAddress(firstPort)}
public_addr = 127.0.0.1
cluster_addr = 127.0.0.1
ms_bind_msgr1 = false
ms_bind_port_min = ${firstPort + 1}
ms_bind_port_max = ${firstPort + 10}
# The gateway of Ceph 16 hangs at its start where authentication is off.
auth_cluster_required = cephx
auth_service_required = cephx
auth_client_required = cephx
keyring = ${directory}/keyring
run_dir = ${directory}
crash_dir = ${directory}
admin_socket = ${directory}/$type.asok
log_file = ${directory}/$type.log
pid_file =
osd_pool_default_size = 1
osd_pool_default_min_size = 1
osd_pool_default_pg_num = 8
osd_pool_default_pgp_num = 8
osd_pool_default_pg_autoscale_mode = off
osd_crush_chooseleaf_type = 0
mon_allow_pool_size_one = true
mon_max_pg_per_osd = 2000
mon_data_avail_warn = 2
mon_data_avail_crit = 1
# Pools are made one after the other, each by a round of the monitor.
paxos_propose_interval = 0.05
mon_tick_interval = 1
# A gateway tells the others of changed users and buckets, and waits this long for one that was killed.
osd_client_watch_timeout = 2

[mon]
mon_data = ${directory}/mon
mon_cluster_log_file = ${directory}/cluster.log

[osd]
osd_data = ${directory}/osd
osd_objectstore = ${store}
osd_class_load_list = *
osd_class_default_list = *
osd_memory_target = ${gibibyte}
memstore_device_bytes = ${8 * gibibyte}
bluestore_block_size = ${8 * gibibyte}
bluestore_block_db_create = false
bluestore_block_wal_create = false

[client.rgw]
admin_socket =
rgw_data = ${directory}/rgw
rgw_frontends = beast endpoint=127.0.0.1:${gatewayPort(firstPort)} tcp_nodelay=1
rgw_thread_pool_size = 64
rgw_s3_auth_use_sts = true
rgw_sts_key = ${randomBytes(8).toString('hex')}
# Sessions that end while a test looks on; 900 by default.
rgw_sts_min_session_duration = 1
# What a quota counts is looked at with every write.
rgw_bucket_quota_ttl = 0
rgw_bucket_quota_soft_threshold = 0
${configuration.join('\n')}
`;
}

export function monitorAddress(firstPort: number): string {
  return `[v2:127.0.0.1:${firstPort}/0]`;
}

/** A keyring with a new key for every part, of a kind that Ceph 16 takes; `makeKey` makes those of later ones. */
export async function cephKeyring(makeKey: () => Promise<string> = async () => cephKey()): Promise<string> {
  const keys = [await makeKey(), await makeKey(), await makeKey(), await makeKey()];
  const section = (name: string, capabilities: Readonly<Record<string, string>>): string =>
    [`[${name}]`, `\tkey = ${keys.pop()}`, ...Object.entries(capabilities).map(([part, allowed]) => `\tcaps ${part} = "${allowed}"`)].join(
      '\n',
    );
  return `${[
    section('mon.', { mon: 'allow *' }),
    section('client.admin', { mon: 'allow *', osd: 'allow *' }),
    section('client.rgw', { mon: 'allow rw', osd: 'allow rwx' }),
    section('osd.0', { mon: 'allow profile osd', osd: 'allow *' }),
  ].join('\n')}\n`;
}

/** A type (1, AES), when it was made, its length, and 16 secret bytes, in little endian. */
function cephKey(): string {
  const head = Buffer.alloc(12);
  head.writeUInt16LE(1, 0);
  head.writeUInt32LE(Math.floor(Date.now() / 1000), 2);
  head.writeUInt16LE(16, 10);
  return Buffer.concat([head, randomBytes(16)]).toString('base64');
}
