/**
 * The parameters of a path that a pattern has (`packages/:id`, `packages/:id/files/*`), or undefined. The rest is the
 * parameter `*`, with its slashes.
 */
export function match(pattern: string, path: string): Readonly<Record<string, string>> | undefined {
  const wanted = pattern.split('/');
  const given = path.replace(/\/$/, '').split('/');
  const parameters: Record<string, string> = {};
  for (const [index, part] of wanted.entries()) {
    const text = given[index];
    if (part === '*') {
      const rest = given.slice(index).map(decoded);
      if (rest.length === 0 || rest.includes(undefined)) return undefined;
      parameters['*'] = rest.join('/');
      return parameters;
    }
    const value = text === undefined ? undefined : decoded(text);
    if (value === undefined) return undefined;
    if (part.startsWith(':') && value !== '') parameters[part.slice(1)] = value;
    else if (part !== value) return undefined;
  }
  return given.length === wanted.length ? parameters : undefined;
}

function decoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}
