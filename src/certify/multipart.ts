import { demand, differs, fail, type Probe, type ProbeContext, pass } from './probe.ts';
import { abort, complete, createUpload, get, good, head, holds, isThere, refused, told, uploadPart, uploadParts } from './steps.ts';
import { elements, elementText } from './xml.ts';

const family = 'multipart';
const large = 'large files are sent in parts';
const cleanly = 'what is given up must be gone, or it is paid for ever';

export const multipart: readonly Probe[] = [
  {
    id: 'multipart.in-order',
    family,
    title: 'parts become one object',
    why: large,
    async run(context) {
      const bodies = [context.bytes(context.partBytes), context.bytes(777)];
      const { uploadId, parts } = await uploadParts(context, context.key(), bodies);
      good(await complete(context, context.key(), uploadId, parts), 'the completion');
      await holds(context, context.key(), Buffer.concat(bodies));
      return pass('2 parts');
    },
  },
  {
    id: 'multipart.out-of-order',
    family,
    title: 'parts are put together by their numbers, however they came',
    why: 'several parts are sent at once',
    async run(context) {
      const bodies = [context.bytes(context.partBytes), context.bytes(context.partBytes), context.bytes(777)];
      const { uploadId, parts } = await uploadParts(context, context.key(), bodies, [3, 1, 2]);
      good(await complete(context, context.key(), uploadId, parts), 'the completion');
      await holds(context, context.key(), Buffer.concat(bodies));
      return pass('sent as 3, 1, 2');
    },
  },
  {
    id: 'multipart.gaps',
    family,
    title: 'numbers of parts may have gaps',
    why: 'a part that was given up leaves one',
    async run(context) {
      const [first, last] = [context.bytes(context.partBytes), context.bytes(777)];
      const uploadId = await createUpload(context, context.key());
      const parts = [
        await uploadPart(context, context.key(), uploadId, 2, first),
        await uploadPart(context, context.key(), uploadId, 9, last),
      ];
      const reply = await complete(context, context.key(), uploadId, parts);
      if (refused(reply)) return differs(`refused: ${told(reply)}`);
      good(reply, 'the completion');
      await holds(context, context.key(), Buffer.concat([first, last]));
      return pass('2 and 9');
    },
  },
  {
    id: 'multipart.part-again',
    family,
    title: 'a part that is sent again replaces itself',
    why: 'parts are sent again when their answer was lost',
    async run(context) {
      const bodies = [context.bytes(500), context.bytes(600)];
      const uploadId = await createUpload(context, context.key());
      await uploadPart(context, context.key(), uploadId, 1, bodies[0]!);
      const part = await uploadPart(context, context.key(), uploadId, 1, bodies[1]!);
      good(await complete(context, context.key(), uploadId, [part]), 'the completion');
      await holds(context, context.key(), bodies[1]!);
      return pass('the later one counts');
    },
  },
  {
    id: 'multipart.hidden-until-complete',
    family,
    title: 'nothing is there before the completion',
    why: 'a half upload must not look like an object',
    async run(context) {
      await uploadParts(context, context.key(), [context.bytes()]);
      return (await isThere(context, context.key())) ? fail('it is there already') : pass('404 until then');
    },
  },
  {
    id: 'multipart.small-part',
    family,
    title: 'a part that is too small is refused, and makes nothing',
    why: 'what is accepted here and not elsewhere cannot be moved',
    async run(context) {
      const { uploadId, parts } = await uploadParts(context, context.key(), [context.bytes(10), context.bytes(10)]);
      const reply = await complete(context, context.key(), uploadId, parts);
      if (reply.status < 300 && reply.code === undefined) return differs('accepted');
      return (await isThere(context, context.key())) ? fail(`${told(reply)}, and it is there`) : pass(told(reply));
    },
  },
  {
    id: 'multipart.wrong-etag',
    family,
    title: 'a completion that names another ETag is refused',
    why: 'an object must be of the parts that were meant',
    async run(context) {
      const { uploadId } = await uploadParts(context, context.key(), [context.bytes()]);
      const reply = await complete(context, context.key(), uploadId, [{ number: 1, etag: `"${'0'.repeat(32)}"` }]);
      demand(!(await isThere(context, context.key())), `it ${told(reply)}, and the object is there`);
      return refused(reply) ? pass(told(reply)) : fail(told(reply));
    },
  },
  {
    id: 'multipart.missing-part',
    family,
    title: 'a completion that names a part that never came is refused',
    why: 'an object must be whole',
    async run(context) {
      const { uploadId, parts } = await uploadParts(context, context.key(), [context.bytes(context.partBytes)]);
      const reply = await complete(context, context.key(), uploadId, [...parts, { number: 2, etag: parts[0]!.etag }]);
      demand(!(await isThere(context, context.key())), `it ${told(reply)}, and the object is there`);
      return refused(reply) ? pass(told(reply)) : fail(told(reply));
    },
  },
  {
    id: 'multipart.disorder',
    family,
    title: 'a completion that names parts out of order is refused',
    why: 'an object must not depend on the reading of a list',
    async run(context) {
      const { uploadId, parts } = await uploadParts(context, context.key(), [
        context.bytes(context.partBytes),
        context.bytes(context.partBytes),
      ]);
      const reply = await complete(context, context.key(), uploadId, parts.toReversed());
      return refused(reply) ? pass(told(reply)) : differs(told(reply));
    },
  },
  {
    id: 'multipart.part-digest',
    family,
    title: 'a part that is not what its signed SHA-256 says is refused',
    why: 'bytes can change on their way',
    async run(context) {
      const uploadId = await createUpload(context, context.key());
      const query = { partNumber: '1', uploadId };
      const reply = await context.wire.send({ method: 'PUT', key: context.key(), query, body: 'x', payload: '0'.repeat(64) });
      return refused(reply) ? pass(told(reply)) : fail(told(reply));
    },
  },
  {
    id: 'multipart.honest-completion',
    family,
    title: 'the answer to a completion says what took place',
    why: 'an upload is acknowledged by that answer',
    async run(context) {
      const body = context.bytes();
      const { uploadId, parts } = await uploadParts(context, context.key(), [body]);
      const reply = await complete(context, context.key(), uploadId, parts);
      const there = await isThere(context, context.key());
      const success = reply.status === 200 && reply.code === undefined;
      if (reply.status === 200 && reply.code !== undefined)
        return fail(`${told(reply)} in its body; the object is ${there ? '' : 'not '}there`);
      if (success !== there) return fail(`${told(reply)}, and the object is ${there ? '' : 'not '}there`);
      return success ? pass('200, and it is there') : fail(told(reply));
    },
  },
  {
    id: 'multipart.completion-again',
    family,
    title: 'a completion that is repeated is answered as the first was',
    why: 'completions are repeated when their answer was lost',
    async run(context) {
      const body = context.bytes();
      const { uploadId, parts } = await uploadParts(context, context.key(), [body]);
      good(await complete(context, context.key(), uploadId, parts), 'the completion');
      const again = await complete(context, context.key(), uploadId, parts);
      await holds(context, context.key(), body);
      if (again.status === 200 && again.code === undefined) return pass('200 again');
      return again.status === 404 ? differs(told(again)) : fail(told(again));
    },
  },
  {
    id: 'multipart.completions-at-once',
    family,
    title: 'several completions of one upload make one object',
    why: 'a repeated request may come while the first is under way',
    async run(context) {
      const body = context.bytes();
      const { uploadId, parts } = await uploadParts(context, context.key(), [body]);
      const replies = await Promise.all(Array.from({ length: 4 }, () => complete(context, context.key(), uploadId, parts)));
      const won = replies.filter(({ status, code }) => status === 200 && code === undefined).length;
      demand(won > 0, `none of 4 was answered well: ${replies.map(told).join(', ')}`);
      await holds(context, context.key(), body);
      const odd = replies.filter(({ status, code }) => (status !== 200 || code !== undefined) && status !== 404 && status !== 409);
      return odd.length === 0 ? pass(`${won} of 4 were answered 200`) : differs(odd.map(told).join(', '));
    },
  },
  {
    id: 'multipart.two-uploads',
    family,
    title: 'of two uploads to one key one stays, whole',
    why: 'two servers may write the same bytes to one key',
    async run(context) {
      const bodies = [context.bytes(), context.bytes()];
      const uploads = await Promise.all(bodies.map((body) => uploadParts(context, context.key(), [body])));
      const replies = await Promise.all(uploads.map(({ uploadId, parts }) => complete(context, context.key(), uploadId, parts)));
      for (const reply of replies) demand(reply.status === 200 && reply.code === undefined, `a completion ${told(reply)}`);
      const { body } = await get(context, context.key());
      return bodies.some((each) => each.equals(body)) ? pass('one of two, whole') : fail('what lies there is neither');
    },
  },
  {
    id: 'multipart.abort',
    family,
    title: 'an upload that was given up is gone, with its parts',
    why: cleanly,
    async run(context) {
      const { uploadId, parts } = await uploadParts(context, context.key(), [context.bytes()]);
      const aborted = await abort(context, context.key(), uploadId);
      demand(aborted.status < 300, `it was ${told(aborted)}`);
      const listed = await context.wire.send({ key: context.key(), query: { uploadId } });
      demand(listed.status === 404, `its parts are still listed: ${told(listed)}`);
      const reply = await complete(context, context.key(), uploadId, parts);
      demand(reply.status >= 300 || reply.code !== undefined, 'a completion after it is accepted');
      demand(!(await isThere(context, context.key())), `a completion after it ${told(reply)}, and the object is there`);
      return refused(reply) ? pass('its parts are gone') : differs(`its parts are gone; a completion after it ${told(reply)}`);
    },
  },
  {
    id: 'multipart.list-parts',
    family,
    title: 'the parts of an upload are listed with their lengths',
    why: 'a client that was stopped resumes with what is there',
    async run(context) {
      const { uploadId } = await uploadParts(context, context.key(), [context.bytes(11), context.bytes(22)]);
      const reply = good(await context.wire.send({ key: context.key(), query: { uploadId } }), 'the list of parts');
      const sizes = elements(reply.body.toString(), 'Part').map(
        (part) => `${elementText(part, 'PartNumber')}:${elementText(part, 'Size')}`,
      );
      return sizes.join() === '1:11,2:22' ? pass('both') : fail(sizes.join() || 'it shows none');
    },
  },
  {
    id: 'multipart.list-uploads',
    family,
    title: 'uploads that are not complete are listed',
    why: cleanly,
    async run(context) {
      const uploadId = await createUpload(context, context.key());
      const reply = good(await context.wire.send({ query: { uploads: '', prefix: context.prefix } }), 'the list of uploads');
      const ids = elements(reply.body.toString(), 'UploadId');
      return ids.includes(uploadId) ? pass('it is there') : fail(`it is not among ${ids.length}`);
    },
  },
  {
    id: 'multipart.range-across',
    family,
    title: 'a range over the border of two parts',
    why: 'reads know nothing of parts',
    async run(context) {
      const bodies = [context.bytes(context.partBytes), context.bytes(777)];
      const { uploadId, parts } = await uploadParts(context, context.key(), bodies);
      good(await complete(context, context.key(), uploadId, parts), 'the completion');
      const at = context.partBytes - 100;
      const { status, body } = await get(context, context.key(), { headers: { range: `bytes=${at}-${at + 199}` } });
      const expected = Buffer.concat(bodies).subarray(at, at + 200);
      return status === 206 && body.equals(expected) ? pass('200 bytes') : fail(`answered ${status} with ${body.length} bytes`);
    },
  },
  {
    id: 'multipart.metadata',
    family,
    title: 'Content-Type and x-amz-meta-* of the start come back',
    why: 'browsers and other tools go by them',
    async run(context: ProbeContext) {
      const headers = { 'content-type': 'text/x-probe', 'x-amz-meta-name': 'a value' };
      const uploadId = await createUpload(context, context.key(), headers);
      const part = await uploadPart(context, context.key(), uploadId, 1, context.bytes());
      good(await complete(context, context.key(), uploadId, [part]), 'the completion');
      const { headers: found } = await head(context, context.key());
      const lost = Object.entries(headers).filter(([name, value]) => found[name] !== value);
      return lost.length === 0 ? pass('both do') : fail(lost.map(([name]) => `${name} is lost`).join(', '));
    },
  },
];
