import type { ComposeNode } from '../protocol/compose-file.ts';

export type PostureRule = (typeof postureRules)[number];

/** What is asked of a stack that nobody outside may reach; docs/cli.md has a line for each. */
export const postureRules = [
  'image-pinned',
  'no-ports',
  'no-proxy-labels',
  'one-internal-network',
  'secrets-read-only',
  'no-secrets-in-environment',
  'no-secrets-shown',
  'no-host-access',
] as const;

export interface PostureFinding {
  readonly rule: PostureRule;
  /** `unknown` where the file alone does not say it: that is not taken for right. */
  readonly state: 'violated' | 'unknown';
  readonly service: string | null;
  readonly file: string;
  readonly line: number;
  /** Half a sentence about the service, without any value. */
  readonly problem: string;
  readonly remedy: string;
}

/** What one rule finds of one service or of the whole. */
export type Fault = Omit<PostureFinding, 'rule' | 'service' | 'file' | 'line'> & { readonly node: ComposeNode };

export function violated(node: ComposeNode, problem: string, remedy: string): Fault {
  return { state: 'violated', node, problem, remedy };
}

export function unknown(node: ComposeNode, problem: string, remedy: string): Fault {
  return { state: 'unknown', node, problem, remedy };
}
