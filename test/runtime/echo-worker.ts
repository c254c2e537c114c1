import { type MessagePort, parentPort, workerData } from 'node:worker_threads';

const channel = parentPort as MessagePort;

channel.on('message', (text: string) => {
  if (text === 'break') throw new Error('broken');
  channel.postMessage(`${workerData} ${text}`);
});
