/** Where the control plane of an AWS region is, and how its resources are named there. */
export interface Partition {
  /** The second word of every resource name (ARN). */
  readonly name: 'aws' | 'aws-cn' | 'aws-us-gov';
  readonly address: string;
  /** Whose signature the control plane takes: it is one for all regions of a partition. */
  readonly signingRegion: string;
  readonly domain: string;
}

export function partitionOf(region: string): Partition {
  if (region.startsWith('cn-'))
    return {
      name: 'aws-cn',
      address: 'https://iam.cn-north-1.amazonaws.com.cn',
      signingRegion: 'cn-north-1',
      domain: 'amazonaws.com.cn',
    };
  if (region.startsWith('us-gov-'))
    return {
      name: 'aws-us-gov',
      address: 'https://iam.us-gov.amazonaws.com',
      signingRegion: 'us-gov-west-1',
      domain: 'amazonaws.com',
    };
  return { name: 'aws', address: 'https://iam.amazonaws.com', signingRegion: 'us-east-1', domain: 'amazonaws.com' };
}
