import { type HclToken, hclTokens } from './hcl-tokens.ts';

/** An `artifact` block of a job of Nomad, as far as its source goes. */
export interface ArtifactBlock {
  /** Its braces. */
  readonly open: HclToken;
  readonly close: HclToken;
  /** The value of `source`; a string in quotes, or what else is there. */
  readonly source?: HclToken;
  readonly options?: OptionsBlock;
}

export interface OptionsBlock {
  readonly open: HclToken;
  readonly close: HclToken;
  readonly checksum?: HclToken;
}

interface OpenBlock {
  readonly name: string;
  readonly open: HclToken;
  readonly values: Map<string, HclToken>;
  options?: OptionsBlock;
}

/**
 * The artifact blocks of a job, and every string or heredoc of it. Blocks and objects are told by what stands before
 * their brace; what expressions mean is not looked at.
 */
export function artifactBlocks(source: string): { readonly blocks: readonly ArtifactBlock[]; readonly texts: readonly HclToken[] } {
  const tokens = hclTokens(source);
  const blocks: ArtifactBlock[] = [];
  const stack: OpenBlock[] = [];
  let statement: HclToken[] = [];
  for (const token of tokens) {
    if (token.text === '{' && token.kind === 'mark') {
      stack.push({ name: nameOf(statement), open: token, values: new Map() });
      statement = [];
    } else if (token.text === '}' && token.kind === 'mark') {
      keepValue(stack.at(-1), statement);
      close(stack, token, blocks);
      statement = [];
    } else if (token.kind === 'newline' || token.text === ',') {
      keepValue(stack.at(-1), statement);
      statement = [];
    } else statement.push(token);
  }
  return { blocks, texts: tokens.filter(({ kind }) => kind === 'string' || kind === 'heredoc') };
}

function close(stack: OpenBlock[], token: HclToken, blocks: ArtifactBlock[]): void {
  const block = stack.pop();
  if (block === undefined) return;
  const { name, open, values, options } = block;
  const outer = stack.at(-1);
  if (name === 'options' && outer?.name === 'artifact') {
    const checksum = values.get('checksum');
    outer.options = { open, close: token, ...(checksum === undefined ? {} : { checksum }) };
  }
  if (name !== 'artifact') return;
  const source = values.get('source');
  blocks.push({ open, close: token, ...(source === undefined ? {} : { source }), ...(options === undefined ? {} : { options }) });
}

/** `artifact {`, `task "x" {`, `options = {` and `"options" = {`. */
function nameOf(statement: readonly HclToken[]): string {
  return wordOf(statement[0]);
}

/** `source = "x"`, and `"checksum" : "x"` of an object. */
function keepValue(block: OpenBlock | undefined, [key, mark, value]: readonly HclToken[]): void {
  if (block === undefined || value === undefined || (mark?.text !== '=' && mark?.text !== ':')) return;
  block.values.set(wordOf(key), value);
}

function wordOf(token: HclToken | undefined): string {
  return token?.kind === 'string' ? token.text.slice(1, -1) : (token?.text ?? '');
}
