import type { ComposeMap, ComposeNode } from '../protocol/compose-file.ts';
import { hasVariable, itemsOf, readMount } from '../protocol/compose-merge.ts';
import { type Fault, unknown, violated } from './finding.ts';
import type { Stack } from './stack.ts';

/** A tag that moves: it says what is newest, or belongs to a branch. */
const movingTag = /^(latest|stable|edge|nightly|main|master|dev|develop|head|lts|current|mainline|release|test|testing)(-|$)/i;
/** Two numbers at least, a date, or a commit. `24.12` is as exact as some publishers are. */
const exactTag = /\d+\.\d+|\d{4}-\d{2}-\d{2}|(^|-)(sha-?)?[0-9a-f]{7,64}$/;
const pinIt = 'write NAME:VERSION or NAME@sha256:DIGEST';

export function* imageFaults(service: ComposeMap): Generator<Fault> {
  const image = service.entries.get('image');
  const build = service.entries.get('build');
  if (build !== undefined)
    yield violated(build, 'is built where it runs, from whatever is there then', `build it once, push it, and ${pinIt}`);
  if (image === undefined) {
    if (build === undefined) yield violated(service, 'has no image', pinIt);
    return;
  }
  const text = image.kind === 'scalar' ? image.text : null;
  if (text === null || text === '') yield violated(image, 'has no image', pinIt);
  else if (hasVariable(text))
    yield unknown(image, 'takes its image from a variable: which one it is can be known only where it runs', pinIt);
  else if (/@sha256:[0-9a-f]{64}$/.test(text)) return;
  else if (text.includes('@')) yield violated(image, 'has an image with a digest that is none of SHA-256 in 64 digits', pinIt);
  else {
    const tag = /:([\w][\w.-]{0,127})$/.exec(text.replace(/^.*\//, ''))?.[1];
    if (tag === undefined) yield violated(image, 'has an image without a tag, so it is whatever is newest', pinIt);
    else if (movingTag.test(tag) || !exactTag.test(tag)) yield violated(image, `has an image with the tag "${tag}", which moves`, pinIt);
  }
}

const spaces = ['pid', 'ipc', 'uts', 'userns_mode', 'cgroup'];
const strongCapabilities = /^(CAP_)?(ALL|SYS_ADMIN|SYS_PTRACE|SYS_MODULE|DAC_READ_SEARCH|NET_ADMIN)$/i;
/** With one of them a container starts others, and reads the environment and the volumes of all. */
const engineSocket = /(docker|podman|containerd|crio)(\.engine)?\.sock$|^\/(var\/)?run\/?$|^\/$/;
/** What all containers keep and do, as files: volumes, memory, disks. */
const everybodysFiles = /^\/(proc|sys|dev|var|var\/lib|var\/lib\/(docker|containers|containerd)(\/.*)?)\/?$/;
const everybodysDevice = /^\/dev(\/(k?mem|port|kmsg|disk\/.*|mapper\/.*|(dm-|sd|hd|vd|xvd|nvme|mmcblk|loop).*))?\/?$/;

/** What makes a container one with its host, from where it sees what the others keep. */
export function* hostFaults(service: ComposeMap): Generator<Fault> {
  const take = (name: string): ComposeNode | undefined => service.entries.get(name);
  const privileged = take('privileged');
  if (privileged?.kind === 'scalar' && privileged.text !== null && privileged.text !== 'false')
    yield violated(privileged, 'is privileged, and so is the host to it', 'remove `privileged`');
  for (const name of spaces) {
    const node = take(name);
    if (node?.kind !== 'scalar' || node.text === null) continue;
    if (node.text === 'host' || /^(container|service):/.test(node.text) || hasVariable(node.text))
      yield violated(node, `shares \`${name}\` with others`, `remove \`${name}\``);
  }
  const socket = take('use_api_socket');
  if (socket?.kind === 'scalar' && socket.text !== null && socket.text !== 'false')
    yield violated(socket, 'is given the socket of the engine, and what it signs in with', 'remove `use_api_socket`');
  for (const item of itemsOf(take('cap_add')))
    if (item.kind === 'scalar' && strongCapabilities.test(item.text ?? ''))
      yield violated(item, `has the capability ${item.text}`, 'remove it');
  for (const item of itemsOf(take('volumes'))) {
    yield* pathFaults(item, readMount(item)?.source ?? '');
  }
  for (const item of itemsOf(take('devices'))) {
    const source = item.kind === 'map' ? item.entries.get('source') : item;
    const path = source?.kind === 'scalar' ? (source.text ?? '').split(':')[0] : undefined;
    if (everybodysDevice.test(path ?? '')) yield violated(item, `has ${path} of the host, with what other containers keep`, 'remove it');
  }
}

/** A volume with a name may be a folder of the host, too: `driver_opts` of the driver `local`. */
export function* volumeFaults({ volumes }: Stack): Generator<Fault> {
  for (const volume of volumes.values()) {
    const options = volume.kind === 'map' ? volume.entries.get('driver_opts') : undefined;
    const device = options?.kind === 'map' ? options.entries.get('device') : undefined;
    if (device?.kind === 'scalar') yield* pathFaults(device, device.text ?? '');
  }
}

function* pathFaults(node: ComposeNode, path: string): Generator<Fault> {
  if (engineSocket.test(path))
    yield violated(node, 'has the engine that runs all containers, or what holds its socket', 'remove the mount');
  else if (everybodysFiles.test(path) || everybodysDevice.test(path))
    yield violated(node, `has ${path} of the host, with what other containers keep`, 'remove the mount');
}
