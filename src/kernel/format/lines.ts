/**
 * The lines of a text in UTF-8, each without its line feed; the last one also where none ends it. Only a line feed ends
 * a line: JSON may hold U+2028 and U+2029, which `node:readline` takes for ends. A byte order mark at the start is
 * skipped. Bytes that are not UTF-8 become U+FFFD.
 */
export async function* linesOf(chunks: AsyncIterable<Uint8Array>): AsyncIterable<string> {
  const decoder = new TextDecoder();
  let rest = '';
  for await (const chunk of chunks) {
    const lines = (rest + decoder.decode(chunk, { stream: true })).split('\n');
    rest = lines.pop()!;
    yield* lines;
  }
  rest += decoder.decode();
  if (rest !== '') yield rest;
}
