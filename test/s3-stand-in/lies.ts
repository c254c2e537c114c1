/** What a store may do wrong while it looks right. Each is off by default. */
export const lies = {
  nonAtomicConditionalCreate: 'PutObject looks for If-None-Match, waits a while, then writes: two racers win',
  ignoredConditionalCreate: 'PutObject accepts If-None-Match and overwrites',
  ignoredConditionOnComplete: 'CompleteMultipartUpload accepts If-None-Match and overwrites',
  truncatedRange: 'a range comes one byte short, with a Content-Length that agrees',
  ignoredRange: 'a range is answered 200 with the whole object',
  wrongRangeOffset: 'a range is answered 206 with bytes from one further on',
  ignoredObjectLock: 'retention and legal hold are accepted and shown, and deletes of locked versions go through',
  staleList: 'lists show what was there a while ago',
  staleRead: 'for a while after an overwrite, GetObject and HeadObject show the object before it',
  ambiguousComplete: 'CompleteMultipartUpload answers 500 although it took place, and knows nothing of the upload afterwards',
  completeAnswers200WithError: 'CompleteMultipartUpload answers 200 with an <Error> in its body, and nothing took place',
  notImplementedOnChecksums: 'x-amz-checksum-* and their trailers are answered 501',
  ignoredChecksums: 'wrong x-amz-checksum-* are accepted',
  ignoredContentMd5: 'a wrong Content-MD5 is accepted',
  ignoredContentSha256: 'x-amz-content-sha256 is not compared with the body',
  presignedHeadersObeyed: 'x-amz-* headers that a presigned URL does not sign are accepted and obeyed',
  presignedLengthIgnored: 'a Content-Length that a presigned URL signs does not bind',
  expiredPresignAccepted: 'presigned URLs work after their time',
  abortKeepsParts: 'AbortMultipartUpload answers 204, and the upload and its parts stay',
  mixedUpPartOrder: 'parts are put together in the order in which they came',
  lostMetadata: 'x-amz-meta-* and Content-Type are accepted and lost',
  normalisedKeys: 'keys are decoded once more, and plus signs become spaces',
  listTruncatedAt1000: 'lists end at 1,000 entries as if there were no more',
  deleteNotIdempotent: 'DeleteObject of what is not there is answered 404',
  noSuchKeyAs200Empty: 'GetObject and HeadObject of what is not there are answered 200, with nothing',
  notFoundAsHtml: 'what is not there is answered 404 with a page of HTML',
  skewAccepted: 'requests of any date are accepted',
  badSignatureAccepted: 'any signature of a known key is accepted',
  foreignBucketReadable: 'credentials reach buckets that are not theirs',
  expectContinueHangs: 'Expect: 100-continue is never answered',
  acceptsShortBody: 'what came of a body that was cut short is stored',
} as const;

export type Lie = keyof typeof lies;

export type Lies = { readonly [lie in Lie]?: boolean } & {
  /**
   * How long `staleList` and `staleRead` lag, and how long `nonAtomicConditionalCreate` waits; 2,000, and 50 for the
   * last, by default.
   */
  readonly lagMilliseconds?: number;
};
