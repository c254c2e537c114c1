/** The first of these that a payload has. A hold that was released without a reason is told by its id. */
const telling = ['relative_path', 'name', 'reason', 'slug', 'result', 'hold_id'] as const;
const longest = 200;

export function membersOf(payload: unknown): Readonly<Record<string, unknown>> {
  return typeof payload === 'object' && payload !== null ? (payload as Readonly<Record<string, unknown>>) : {};
}

/** What an event is about, in a few words; empty where its payload has none. */
export function summaryOf(payload: unknown): string {
  const members = membersOf(payload);
  const found = telling.map((name) => members[name]).find((value) => typeof value === 'string');
  return typeof found === 'string' ? found.slice(0, longest) : '';
}
