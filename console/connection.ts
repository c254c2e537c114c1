import { signal } from '@preact/signals';

/** Whether the server answers. While it does not, it is asked again, and what failed is loaded when it is back. */
export const connected = signal(true);
/** Goes up each time that the connection is back. */
export const connectionEpoch = signal(0);

const firstWait = 1_000;
const longestWait = 15_000;
let asking = false;
let ask: (() => Promise<boolean>) | undefined;

/** How the server is asked whether it is there. */
export function askBy(probe: () => Promise<boolean>): void {
  ask = probe;
}

/** Asks whether it is there now. */
export async function isReachable(): Promise<boolean> {
  return (await ask?.()) === true;
}

export function connectionLost(): void {
  connected.value = false;
  if (!asking) void askUntilBack();
}

export function connectionWorks(): void {
  if (connected.value) return;
  connected.value = true;
  connectionEpoch.value += 1;
}

async function askUntilBack(): Promise<void> {
  asking = true;
  for (let wait = firstWait; !connected.value; wait = Math.min(wait * 1.6, longestWait)) {
    await new Promise((resolve) => setTimeout(resolve, wait));
    if (!connected.value && (await ask?.())) connectionWorks();
  }
  asking = false;
}
