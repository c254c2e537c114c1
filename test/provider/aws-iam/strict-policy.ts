/** What keys may reach by a policy, as the stand-in of the objects takes it. */
export interface Reach {
  readonly buckets: readonly string[];
  readonly keyPrefix: string;
}

/** Undefined where it is no policy that AWS would take: by its grammar, and the actions that are used here. */
export function reachOf(document: string): Reach | undefined {
  let policy: unknown;
  try {
    policy = JSON.parse(document);
  } catch {
    return undefined;
  }
  const { Version, Statement, ...more } = policy as Record<string, unknown>;
  if (Version !== '2012-10-17' || !Array.isArray(Statement) || Object.keys(more).length > 0) return undefined;
  const buckets: string[] = [];
  let keyPrefix: string | undefined;
  for (const { Effect, Action, Resource, Condition, ...rest } of Statement as readonly Statement[]) {
    if (Effect !== 'Allow' || Object.keys(rest).length > 0) return undefined;
    if (!Action.every((action) => actions.has(action.replace(/^s3:/, '')) && action.startsWith('s3:'))) return undefined;
    if (Condition !== undefined && !/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/.test(Condition.DateLessThan?.['aws:CurrentTime'] ?? ''))
      return undefined;
    const [, bucket, below] = /^arn:aws:s3:::([^/*?]+)(?:\/([^*?]*)\*)?$/.exec(Resource) ?? [];
    if (bucket === undefined) return undefined;
    buckets.push(bucket);
    if (Action.includes('s3:PutObject')) keyPrefix = below;
  }
  return { buckets: [...new Set(buckets)], keyPrefix: keyPrefix ?? '\u0000' };
}

interface Statement {
  readonly Effect: string;
  readonly Action: readonly string[];
  readonly Resource: string;
  readonly Condition?: { readonly DateLessThan?: Readonly<Record<string, string>> };
}

const actions: ReadonlySet<string> = new Set([
  ...['GetObject', 'PutObject', 'DeleteObject', 'AbortMultipartUpload', 'ListMultipartUploadParts', 'ListBucket'],
  ...['ListBucketMultipartUploads', 'ListBucketVersions', 'GetBucketLocation', 'GetBucketVersioning', 'PutBucketVersioning'],
  ...['GetLifecycleConfiguration', 'PutLifecycleConfiguration'],
]);
