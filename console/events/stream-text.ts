/** What a stream of Server-Sent Events has said: an event, or how far it has looked. */
export interface StreamMessage {
  readonly id: number | undefined;
  /** Empty where it is a sign of life. */
  readonly data: string;
}

/** Cuts a stream into its messages, however its bytes are cut. What has not ended is no message. */
export interface StreamText {
  push(bytes: Uint8Array): readonly StreamMessage[];
}

export function streamText(): StreamText {
  const decoder = new TextDecoder();
  let parts: string[] = [];
  return {
    push(bytes) {
      const text = decoder.decode(bytes, { stream: true });
      // The end of a message may be cut in two.
      const last = parts.at(-1) ?? '';
      if (!text.includes('\n\n') && !(last.endsWith('\n') && text.startsWith('\n'))) {
        parts.push(text);
        return [];
      }
      const blocks = (parts.join('') + text).split('\n\n');
      const open = blocks.pop() ?? '';
      parts = open === '' ? [] : [open];
      return blocks.map(messageOf).filter(({ id, data }) => id !== undefined || data !== '');
    },
  };
}

function messageOf(block: string): StreamMessage {
  let id: number | undefined;
  let data = '';
  for (const line of block.split('\n')) {
    if (line.startsWith('id: ')) id = Number(line.slice(4));
    else if (line.startsWith('data: ')) data += line.slice(6);
  }
  return { id, data };
}
