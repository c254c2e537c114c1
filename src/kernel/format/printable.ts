/**
 * What others have written, as it may be shown: a name, a message or a hint of a server can't move the cursor, hide or
 * reorder what is on the screen, or look like something that it isn't. Of control characters only tabs, line ends and
 * the colours of our own output stay.
 */
export function printable(text: string): string {
  return text
    .replace(/[^\P{Cc}\t\n](?:\[(\d{1,2})m)?/gu, (found, code: string | undefined) =>
      found.startsWith('\u001b') && code !== undefined && ours.has(code) ? found : `\ufffd${found.slice(1)}`,
    )
    .replace(unseen, '\ufffd');
}

/**
 * The same for a message of ours with a path or an argument in it: that brings no colours either, and no line that
 * looks like another message. Our own further lines are indented.
 */
export function printableMessage(text: string): string {
  return uncoloured(text).replace(/\n(?! {2})/g, '\ufffd');
}

/** The same without any colours, also those of our own. */
export function uncoloured(text: string): string {
  return printable(text.replaceAll('\u001b', '\ufffd'));
}

/** Bold, dim, red, green, yellow, cyan, and their ends. */
const ours: ReadonlySet<string> = new Set(['1', '2', '22', '31', '32', '33', '36', '39']);

/** The same JSON, in which no terminal finds anything but characters that are seen. */
export function printableJson(json: string): string {
  return json.replace(/[\u007f-\u009f]/g, escaped).replace(unseen, escaped);
}

/**
 * Of the direction of text, ends of lines that few know, and what has no width. The joiners that scripts and emoji need
 * stay.
 */
const unseen = /[\p{Bidi_Control}\u00ad\u180e\u200b\u2028\u2029\u2060-\u2064\u206a-\u206f\ufeff\ufff9-\ufffb\u{e0000}-\u{e007f}]/gu;

function escaped(character: string): string {
  return character
    .split('')
    .map((unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)
    .join('');
}
