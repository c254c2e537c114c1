#!/usr/bin/env python3
"""An independent reader of format version 1, written from docs/format.md alone: it shares no code with the project.

    checker.py vectors docs/format-vectors.json
    checker.py database <sqlite file> <storage root> [backend id, "local" where absent]

It prints what it found wrong, one line each, and exits with 1; or a summary, and exits with 0. Standard library only.
"""
import hashlib
import json
import os
import re
import sqlite3
import struct
import sys


# BLAKE3, from the paper (section 2). Words of many compressions stand side by side in one large integer, 64 bits apart, so that
# plain Python adds, exclusive-ors and rotates them all at once.

IV = (0x6A09E667, 0xBB67AE85, 0x3C6EF372, 0xA54FF53A, 0x510E527F, 0x9B05688C, 0x1F83D9AB, 0x5BE0CD19)
CHUNK_START, CHUNK_END, PARENT, ROOT = 1, 2, 4, 8
PERMUTATION = (2, 6, 3, 10, 7, 0, 4, 13, 1, 11, 12, 5, 9, 14, 15, 8)
QUARTERS = ((0, 4, 8, 12), (1, 5, 9, 13), (2, 6, 10, 14), (3, 7, 11, 15), (0, 5, 10, 15), (1, 6, 11, 12), (2, 7, 8, 13), (3, 4, 9, 14))
BATCH = 1024


def pack(words):
    return int.from_bytes(struct.pack('<%dQ' % len(words), *words), 'little')


def unpack(packed, lanes):
    return struct.unpack('<%dQ' % lanes, packed.to_bytes(8 * lanes, 'little'))


def compress(chain, message, counters, length, flags, lanes):
    """`chain` is 8 and `message` 16 packed words; gives the 8 packed words of the new chaining values."""
    ones = pack([1] * lanes)
    low = ones * 0xFFFFFFFF
    state = list(chain) + [ones * IV[i] for i in range(4)]
    state += [pack([c & 0xFFFFFFFF for c in counters]), pack([c >> 32 for c in counters]), ones * length, ones * flags]
    words = list(message)
    for turn in range(7):
        for index, (a, b, c, d) in enumerate(QUARTERS):
            for word, first, second in ((words[2 * index], 16, 12), (words[2 * index + 1], 8, 7)):
                state[a] = (state[a] + state[b] + word) & low
                mixed = state[d] ^ state[a]
                state[d] = ((mixed >> first) | (mixed << (32 - first))) & low
                state[c] = (state[c] + state[d]) & low
                mixed = state[b] ^ state[c]
                state[b] = ((mixed >> second) | (mixed << (32 - second))) & low
        words = [words[place] for place in PERMUTATION]
    return [state[i] ^ state[i + 8] for i in range(8)]


def chunk_values(data, first, root):
    """The chaining values of the chunks of `data`, which are all of 1,024 bytes, or one of at most that."""
    lanes = max(1, (len(data) + 1023) // 1024)
    assert lanes == 1 or len(data) == 1024 * lanes
    blocks = max(1, (min(len(data), 1024) + 63) // 64)
    size = min(len(data), 1024)
    padded = data if len(data) == 1024 * lanes else data + bytes(1024 - len(data))
    words = struct.unpack('<%dI' % (256 * lanes), padded)
    counters = [first + lane for lane in range(lanes)]
    chain = [pack([IV[i]] * lanes) for i in range(8)]
    for block in range(blocks):
        last = block == blocks - 1
        flags = (CHUNK_START if block == 0 else 0) | (CHUNK_END if last else 0) | (ROOT if last and root else 0)
        message = [pack(words[16 * block + i::256]) for i in range(16)]
        chain = compress(chain, message, counters, size - 64 * block if last else 64, flags, lanes)
    return list(zip(*(unpack(word, lanes) for word in chain)))


def parent_values(values, root):
    """One level up the tree: pairs from the left; an odd one out rises as it is."""
    lanes = len(values) // 2
    pairs = [values[2 * i] + values[2 * i + 1] for i in range(lanes)]
    message = [pack([pair[i] for pair in pairs]) for i in range(16)]
    chain = [pack([IV[i]] * lanes) for i in range(8)]
    chain = compress(chain, message, [0] * lanes, 64, PARENT | (ROOT if root else 0), lanes)
    return list(zip(*(unpack(word, lanes) for word in chain))) + values[2 * lanes:]


def blake3(data):
    if len(data) <= 1024:
        return struct.pack('<8I', *chunk_values(data, 0, True)[0])
    whole = len(data) // 1024
    values = []
    for first in range(0, whole, BATCH):
        end = min(first + BATCH, whole)
        values += chunk_values(data[1024 * first:1024 * end], first, False)
    if len(data) % 1024:
        values += chunk_values(data[1024 * whole:], whole, False)
    while len(values) > 1:
        values = parent_values(values, len(values) == 2)
    return struct.pack('<8I', *values[0])


DIGESTS = {'blake3': blake3, 'sha256': lambda data: hashlib.sha256(data).digest()}


# Canonical CBOR, section 5. Integers stay int, everything else with a decimal point is float, so that encoding is exact.

LIMIT = 2 ** 53 - 1


class Refused(Exception):
    pass


def decode(data):
    value, end = decode_at(data, 0, 1)
    if end != len(data):
        raise Refused('something after the value')
    return value


def take(data, at, size):
    if at + size > len(data):
        raise Refused('the input ends too soon')
    return data[at:at + size], at + size


def argument(data, at):
    short = data[at] & 31
    if short < 24:
        return short, at + 1
    if short > 27:
        raise Refused('an indefinite or reserved length')
    raw, end = take(data, at + 1, 1 << (short - 24))
    value = int.from_bytes(raw, 'big')
    if value < (24, 0x100, 0x10000, 0x100000000)[short - 24]:
        raise Refused('an argument that is not in its shortest form')
    return value, end


def decode_at(data, at, depth):
    if at >= len(data):
        raise Refused('the input ends too soon')
    major = data[at] >> 5
    if major in (0, 1):
        value, end = argument(data, at)
        value = value if major == 0 else -1 - value
        if abs(value) > LIMIT:
            raise Refused('an integer out of range')
        return value, end
    if major == 3:
        size, start = argument(data, at)
        raw, end = take(data, start, size)
        try:
            return raw.decode('utf-8'), end
        except UnicodeDecodeError:
            raise Refused('text that is not UTF-8') from None
    if major in (4, 5) and depth > 128:
        raise Refused('nested too deep')
    if major == 4:
        count, at = argument(data, at)
        if count > len(data) - at:
            raise Refused('the input ends too soon')
        items = []
        for _ in range(count):
            item, at = decode_at(data, at, depth + 1)
            items.append(item)
        return items, at
    if major == 5:
        count, at = argument(data, at)
        if count > len(data) - at:
            raise Refused('the input ends too soon')
        members, before = {}, None
        for _ in range(count):
            start = at
            if at < len(data) and data[at] >> 5 != 3:
                raise Refused('a key that is no text')
            key, at = decode_at(data, at, depth + 1)
            if before is not None and data[start:at] <= before:
                raise Refused('keys out of order')
            before = data[start:at]
            members[key], at = decode_at(data, at, depth + 1)
        return members, at
    if major == 7:
        if data[at] in (0xF4, 0xF5, 0xF6):
            return {0xF4: False, 0xF5: True, 0xF6: None}[data[at]], at + 1
        form = {0xF9: '>e', 0xFA: '>f', 0xFB: '>d'}.get(data[at])
        if form is None:
            raise Refused('a simple value')
        raw, end = take(data, at + 1, struct.calcsize(form))
        value = struct.unpack(form, raw)[0]
        if encode(value) != data[at:end]:
            raise Refused('a float that is not canonical')
        return value, end
    raise Refused('a byte string' if major == 2 else 'a tag')


def head(major, value):
    if value < 24:
        return bytes([major << 5 | value])
    for short, size in ((24, 1), (25, 2), (26, 4), (27, 8)):
        if value < 1 << (8 * size):
            return bytes([major << 5 | short]) + value.to_bytes(size, 'big')
    raise Refused('an argument out of range')


def encode(value):
    if value is None or value is False or value is True:
        return {None: b'\xf6', False: b'\xf4', True: b'\xf5'}[value]
    if isinstance(value, float) and value.is_integer() and abs(value) <= LIMIT:
        value = int(value)
    if isinstance(value, int):
        if abs(value) <= LIMIT:
            return head(0, value) if value >= 0 else head(1, -1 - value)
        value = float(value)
    if isinstance(value, float):
        if value != value or value in (float('inf'), float('-inf')):
            raise Refused('a number that is not finite')
        for byte, form in ((0xF9, '>e'), (0xFA, '>f'), (0xFB, '>d')):
            try:
                raw = struct.pack(form, value)
            except OverflowError:
                continue
            if struct.unpack(form, raw)[0] == value:
                return bytes([byte]) + raw
    if isinstance(value, str):
        raw = value.encode('utf-8')
        return head(3, len(raw)) + raw
    if isinstance(value, list):
        return head(4, len(value)) + b''.join(encode(item) for item in value)
    pairs = sorted((encode(key), encode(member)) for key, member in value.items())
    return head(5, len(pairs)) + b''.join(key + member for key, member in pairs)


# Canonical JSON, section 6.

ESCAPES = {'"': '\\"', '\\': '\\\\', '\b': '\\b', '\f': '\\f', '\n': '\\n', '\r': '\\r', '\t': '\\t'}


def canonical_json(value):
    if value is None or value is False or value is True:
        return {None: 'null', False: 'false', True: 'true'}[value]
    if isinstance(value, (int, float)):
        return ecmascript_number(value)
    if isinstance(value, str):
        return '"' + ''.join(ESCAPES.get(c) or ('\\u%04x' % ord(c) if c < ' ' else c) for c in value) + '"'
    if isinstance(value, list):
        return '[' + ','.join(map(canonical_json, value)) + ']'
    keys = sorted(value, key=lambda key: key.encode('utf-16-be'))
    return '{' + ','.join(canonical_json(key) + ':' + canonical_json(value[key]) for key in keys) + '}'


def ecmascript_number(value):
    """Number::toString of ECMA-262: the shortest digits that mean the same double, which `repr` gives too, laid out its way."""
    if value == 0:
        return '0'
    if isinstance(value, int) and abs(value) <= LIMIT:
        return str(value)
    mantissa, _, exponent = repr(abs(float(value))).partition('e')
    whole, _, fraction = mantissa.partition('.')
    fraction = '' if fraction == '0' else fraction
    digits = (whole + fraction).lstrip('0')
    point = len(whole) + int(exponent or 0) - (len(whole + fraction) - len(digits))
    digits = digits.rstrip('0')
    sign = '-' if value < 0 else ''
    if len(digits) <= point <= 21:
        return sign + digits + '0' * (point - len(digits))
    if 0 < point <= 21:
        return sign + digits[:point] + '.' + digits[point:]
    if -6 < point <= 0:
        return sign + '0.' + '0' * -point + digits
    power = 'e' + ('+' if point > 0 else '-') + str(abs(point - 1))
    return sign + digits[0] + ('.' + digits[1:] if len(digits) > 1 else '') + power


# Addresses, paths and keys, sections 2 to 4.

def is_address(text):
    match = re.fullmatch(r'([a-z][a-z0-9_-]*):((?:[0-9a-f]{2})+)', text)
    return match is not None and (match[1] not in DIGESTS or len(match[2]) == 64)


def is_path(text):
    legal = 1 <= len(text.encode('utf-8')) <= 1024 and not re.search(r'[\x00-\x1f\x7f-\x9f\\]', text)
    return legal and all(segment not in ('', '.', '..') for segment in text.split('/'))


def object_key(address, generation):
    algorithm, digits = address.split(':')
    plain = '/'.join((algorithm, digits[:2], digits[2:4], digits))
    return plain if generation == 0 else '%s.%d' % (plain, generation)


# The views, section 10.

FILE_KEYS = ('id', 'relative_path', 'media_type', 'size_bytes', 'digest_algorithm', 'digest_primary', 'digest_sha256', 'content_address', 'annotations')
PACKAGE_KEYS = ('id', 'name', 'producer', 'subject', 'retention_class', 'metadata', 'metadata_schema_slug')
VIEWS = {
    'artifact_packages': ('id',),
    'package_metadata': ('term', 'created_sequence'),
    'artifact_files': ('id',),
    'storage_objects': ('backend_id', 'content_address'),
    'storage_locations': ('id',),
    'retention_state': ('package_id',),
    'retention_holds': ('id',),
    'metadata_schemas': ('slug',),
    'producer_usage': ('producer',),
}


def metadata_term(key, value):
    return blake3(canonical_json([key, value]).encode('utf-8')).hex()


def fold_all(events):
    views = {table: {} for table in VIEWS}

    def add(table, **row):
        views[table][tuple(row[column] for column in VIEWS[table])] = row

    def change(table, *key, **columns):
        if key in views[table]:
            views[table][key].update(columns)

    for event in events:
        kind, sequence, when, actor, p = event['event_type'], event['sequence'], event['created_at'], event['actor'], event['value']
        if kind == 'v1.package.created':
            add('artifact_packages', **{key: p[key] for key in PACKAGE_KEYS if key != 'metadata'}, metadata=canonical_json(p['metadata']),
                status='created', created_at=when, changed_at=when, created_by=actor, file_count=0, total_bytes=0, live_locations=0,
                created_sequence=sequence, finalized_at=None, manifest_digest=None, finalized_sequence=None)
            for key, value in p['metadata'].items():
                if not isinstance(value, (dict, list)):
                    add('package_metadata', term=metadata_term(key, value), created_sequence=sequence, package_id=p['id'])
        elif kind == 'v1.retention.default_applied':
            add('retention_state', package_id=p['package_id'], retention_class=p['retention_class'], expires_at=p['expires_at'], eligible_at=None,
                ended_at=None)
        elif kind == 'v1.file.ingested':
            at = p['location']
            file = {key: p[key] for key in FILE_KEYS if key != 'annotations'}
            add('artifact_files', **file, annotations=canonical_json(p['annotations']), package_id=p['package_id'], created_at=when, created_sequence=sequence)
            add('storage_locations', id=at['id'], file_id=p['id'], package_id=p['package_id'], backend_id=at['backend_id'], content_address=p['content_address'],
                generation=at['generation'], object_key=at['object_key'], state='stored', stored_at=when, verified_at=None, failed_reason=None,
                retrieval_tier='hot', restore_status=None)
            if at['made_live']:
                add('storage_objects', backend_id=at['backend_id'], content_address=p['content_address'], state='live', live_generation=at['generation'],
                    next_generation=at['generation'] + 1, object_key=at['object_key'], digest_sha256=p['digest_sha256'], size_bytes=p['size_bytes'])
            owner = views['artifact_packages'].get((p['package_id'],))
            if owner is not None:
                owner['file_count'] += 1
                owner['total_bytes'] += p['size_bytes']
                owner['live_locations'] += 1
                owner['changed_at'] = when
        elif kind == 'v1.package.finalized':
            change('artifact_packages', p['package']['id'], status='finalized', finalized_at=when, changed_at=when, finalized_sequence=sequence,
                   manifest_digest='blake3:' + event['payload_digest'].hex())
        elif kind in ('v1.package.abandoned', 'v1.package.garbage_collected'):
            change('artifact_packages', p['package_id'], status=kind.rpartition('.')[2], changed_at=when)
            change('retention_state', p['package_id'], ended_at=when)
        elif kind == 'v1.retention.extended':
            change('retention_state', p['package_id'], expires_at=p['new_expires_at'])
        elif kind == 'v1.retention.hold_applied':
            add('retention_holds', id=p['hold_id'], package_id=p['package_id'], reason=p['reason'], owner=actor, applied_at=when,
                released_at=None, released_by=None, release_reason=None)
        elif kind == 'v1.retention.hold_released':
            change('retention_holds', p['hold_id'], released_at=when, released_by=actor, release_reason=p['reason'])
        elif kind == 'v1.retention.marked_eligible':
            change('retention_state', p['package_id'], eligible_at=when)
        elif kind == 'v1.retention.eligibility_cleared':
            change('retention_state', p['package_id'], eligible_at=None)
        elif kind == 'v1.storage.location_verified':
            good = p['result'] == 'ok'
            for location in p['location_ids']:
                if good:
                    change('storage_locations', location, state='verified', verified_at=when, failed_reason=None)
                else:
                    change('storage_locations', location, state='failed', failed_reason=p.get('reason'))
            if 'content_address' in p:
                change('storage_objects', p['backend_id'], p['content_address'], state='live' if good else 'failed')
        elif kind == 'v1.storage.location_added':
            add('storage_locations', **{key: p[key] for key in ('file_id', 'package_id', 'backend_id', 'content_address', 'generation', 'object_key')},
                id=p['location_id'], state='stored', stored_at=when, verified_at=None, failed_reason=None, retrieval_tier='hot', restore_status=None)
            if p['made_live']:
                add('storage_objects', **{key: p[key] for key in ('backend_id', 'content_address', 'object_key', 'digest_sha256', 'size_bytes')},
                    state='live', live_generation=p['generation'], next_generation=p['generation'] + 1)
            owner = views['artifact_packages'].get((p['package_id'],))
            if owner is not None:
                owner['live_locations'] += 1
        elif kind == 'v1.storage.location_deleted':
            change('storage_locations', p['location_id'], state='deleted')
            owner = views['artifact_packages'].get((p['package_id'],))
            if owner is not None:
                owner['live_locations'] -= 1
            if p['bytes'] == 'release':
                change('storage_objects', p['backend_id'], p['content_address'], state='none', live_generation=None, object_key=None)
        elif kind == 'v1.storage.object_burnt':
            if (p['backend_id'], p['content_address']) not in views['storage_objects']:
                add('storage_objects', backend_id=p['backend_id'], content_address=p['content_address'], state='none', live_generation=None,
                    next_generation=None, object_key=None, digest_sha256=None, size_bytes=None)
            change('storage_objects', p['backend_id'], p['content_address'], next_generation=p['generation'] + 1)
        elif kind == 'v1.storage.object_repaired':
            change('storage_objects', p['backend_id'], p['content_address'], state='live', live_generation=p['generation'],
                   next_generation=p['generation'] + 1, object_key=p['object_key'])
            for location in p['location_ids']:
                change('storage_locations', location, state='stored', generation=p['generation'], object_key=p['object_key'], failed_reason=None)
        elif kind == 'v1.metadata_schema.registered':
            add('metadata_schemas', slug=p['slug'], json_schema=canonical_json(p['json_schema']), created_at=when, created_by=actor, created_sequence=sequence)

    for package in views['artifact_packages'].values():
        use = views['producer_usage'].setdefault((package['producer'],), {'producer': package['producer'], 'packages': 0, 'files': 0, 'bytes': 0})
        if package['status'] in ('created', 'finalized'):
            use['packages'] += 1
            use['files'] += package['file_count']
            use['bytes'] += package['total_bytes']
    return views


# The log and the manifests, sections 7 and 8.

MANIFEST = {
    'manifest_version': int, 'package': dict, 'files': list, 'storage_receipts': list, 'retention_summary': dict, 'provenance': dict,
}
SUBKEYS = {
    'package': set(PACKAGE_KEYS) | {'created_at', 'created_by'},
    'retention_summary': {'retention_class', 'expires_at'},
    'provenance': {'finalized_at', 'finalized_by', 'registry_id', 'software'},
}
RECEIPT_KEYS = {'file_id', 'backend_id', 'object_key', 'content_address', 'stored_at'}


class Report:
    def __init__(self):
        self.faults = []

    def expect(self, good, fault):
        if not good:
            self.faults.append(fault)
        return good


def check_chain(rows, report):
    """Gapless, payloads canonical and digested, chained. The events with their payloads decoded, and the last chain digest."""
    previous, events = bytes(32), []
    for index, event in enumerate(rows):
        name = 'event %d' % event['sequence']
        report.expect(event['sequence'] == index + 1, '%s stands where event %d should' % (name, index + 1))
        report.expect(blake3(event['payload']) == event['payload_digest'], '%s: the payload does not match its digest' % name)
        link = encode([event['sequence'], event['created_at'], event['event_type'], event['subject_kind'], event['subject_id'], event['actor'],
                       event['payload_digest'].hex()])
        report.expect('link' not in event or event['link'] == link, '%s: the link is encoded otherwise' % name)
        report.expect(blake3(previous + link) == event['chain_digest'], '%s does not continue the chain' % name)
        previous = event['chain_digest']
        try:
            value = decode(event['payload'])
        except Refused as reason:
            report.expect(False, '%s: the payload is not canonical: %s' % (name, reason))
            continue
        report.expect(encode(value) == event['payload'], '%s: the payload encodes to other bytes' % name)
        events.append(dict(event, value=value))
    return events, previous


def check_manifest(event, files, registry_id, report):
    """`files` are the rows that the package had when it was sealed."""
    value, name = event['value'], 'the manifest of event %d' % event['sequence']
    for key, kind in MANIFEST.items():
        if not report.expect(isinstance(value.get(key), kind), '%s has no proper %s' % (name, key)):
            return
    report.expect(value['manifest_version'] == 1, '%s has another version' % name)
    for key, names in SUBKEYS.items():
        report.expect(set(value[key]) == names, '%s has other keys in %s' % (name, key))
    paths = [file['relative_path'].encode('utf-8') for file in value['files']]
    report.expect(1 <= len(paths) <= 100000 and all(a < b for a, b in zip(paths, paths[1:])), '%s has its files out of order' % name)
    listed = {file['id']: file for file in value['files']}
    report.expect(listed == files, '%s lists other files than the log' % name)
    for file in value['files']:
        report.expect(set(file) == set(FILE_KEYS), '%s has other keys in a file' % name)
        report.expect(is_path(file['relative_path']), '%s has an illegal path' % name)
        report.expect(is_address(file['content_address']) and file['content_address'] == '%s:%s' % (file['digest_algorithm'], file['digest_primary']),
                      '%s has a wrong content address' % name)
    order = {file['id']: index for index, file in enumerate(value['files'])}
    places = [order.get(receipt['file_id'], -1) for receipt in value['storage_receipts']]
    report.expect(-1 not in places and places == sorted(places), '%s has its receipts out of order' % name)
    for receipt in value['storage_receipts']:
        report.expect(set(receipt) == RECEIPT_KEYS, '%s has other keys in a receipt' % name)
    made = value['provenance']
    report.expect(made['finalized_at'] == event['created_at'] and made['finalized_by'] == event['actor'], '%s was sealed by another event' % name)
    report.expect(registry_id is None or made['registry_id'] == registry_id, '%s comes from another registry' % name)


def check_manifests(events, registry_id, report):
    files, count = {}, 0
    for event in events:
        value = event['value']
        if event['event_type'] == 'v1.file.ingested':
            files.setdefault(value['package_id'], {})[value['id']] = {key: value[key] for key in FILE_KEYS}
            at = value['location']
            report.expect(at['object_key'] == object_key(value['content_address'], at['generation']), 'event %d has a wrong object key' % event['sequence'])
            report.expect(is_path(value['relative_path']), 'event %d has an illegal path' % event['sequence'])
        elif event['event_type'] == 'v1.storage.location_added':
            right = object_key(value['content_address'], value['generation'])
            report.expect(value['object_key'] == right, 'event %d has a wrong object key' % event['sequence'])
            file = files.get(value['package_id'], {}).get(value['file_id'], {})
            report.expect(all(value[key] == file.get(key) for key in ('content_address', 'digest_sha256', 'size_bytes')),
                          'event %d places another file' % event['sequence'])
        elif event['event_type'] == 'v1.package.finalized':
            check_manifest(event, files.get(value['package']['id'], {}), registry_id, report)
            count += 1
    return count


def check_database(path, root, backend, report):
    database = sqlite3.connect('file:%s?mode=ro' % path.replace('?', '%3f').replace('#', '%23'), uri=True)
    database.row_factory = sqlite3.Row
    database.execute('begin')
    registry = [dict(row) for row in database.execute('select * from registry')]
    if not report.expect(len(registry) == 1 and registry[0]['format_version'] == 1, 'the registry is not of format version 1'):
        return ''
    rows = [dict(row) for row in database.execute('select * from events order by sequence')]
    events, last = check_chain(rows, report)
    head = dict(database.execute('select * from log_head').fetchone())
    report.expect(head['sequence'] == len(rows) and head['chain_digest'] == last, 'the head of the log is not its last event')
    manifests = check_manifests(events, registry[0]['id'], report)
    views = fold_all(events)
    for table, columns in VIEWS.items():
        shown = {tuple(row[column] for column in columns): dict(row) for row in database.execute('select * from ' + table)}
        for key in sorted(set(shown) | set(views[table]), key=str):
            ours = views[table].get(key)
            theirs = shown.get(key) if ours is None or key not in shown else {column: shown[key].get(column) for column in ours}
            report.expect(ours == theirs, '%s %s is not what the log says' % (table, ' '.join(map(str, key))))
    blocks = {row['content_address']: dict(row) for row in database.execute('select * from block_digests')}
    held = {(row['backend_id'], row['object_key']): bytes(row['bytes']) for row in database.execute('select * from held_objects')}
    objects = check_objects(views, root, backend, held, blocks, report)
    return '%d events, %d manifests, %d live objects, chain digest blake3:%s' % (len(rows), manifests, objects, last.hex())


def check_objects(views, root, backend, held, blocks, report):
    """Both digests of every live object, read from where it is held or from the disk."""
    live = {(row['backend_id'], row['object_key']) for row in views['storage_objects'].values()}
    for key in held:
        report.expect(key in live, '%s %s is held and not live' % key)
    sha256 = {file['content_address']: (file['digest_sha256'], file['size_bytes']) for file in views['artifact_files'].values()}
    count = 0
    for row in views['storage_objects'].values():
        if row['state'] != 'live' or row['backend_id'] != backend:
            continue
        count += 1
        address = row['content_address']
        algorithm, digits = address.split(':')
        report.expect(row['object_key'] == object_key(address, row['live_generation']), '%s has a wrong key' % address)
        report.expect(sha256.get(address) == (row['digest_sha256'], row['size_bytes']), '%s has another size or SHA-256 than its files' % address)
        try:
            data = held.get((backend, row['object_key']))
            if data is None:
                with open(os.path.join(root, *row['object_key'].split('/')), 'rb') as file:
                    data = file.read()
        except OSError as error:
            report.expect(False, '%s cannot be read: %s' % (address, error))
            continue
        report.expect(len(data) == row['size_bytes'], '%s is %d bytes long, not %d' % (address, len(data), row['size_bytes']))
        report.expect(DIGESTS[algorithm](data).hex() == digits, '%s: the bytes have another %s digest' % (address, algorithm))
        report.expect(DIGESTS['sha256'](data).hex() == row['digest_sha256'], '%s: the bytes have another SHA-256 digest' % address)
        stored = blocks.get(address)
        if stored is not None:
            step = stored['block_bytes']
            actual = b''.join(blake3(data[first:first + step]) for first in range(0, len(data), step))
            report.expect(actual == stored['digests'], '%s has wrong block digests' % address)
    for location in views['storage_locations'].values():
        row = views['storage_objects'].get((location['backend_id'], location['content_address']))
        live = location['state'] in ('stored', 'verified')
        report.expect(not live or (row is not None and row['state'] == 'live' and row['object_key'] == location['object_key']),
                      'location %s claims an object that is not live' % location['id'])
    return count


def check_vectors(path, report):
    with open(path, encoding='utf-8') as file:
        vectors = json.load(file)
    expect = report.expect
    pattern = lambda length: bytes(index % 251 for index in range(length))
    for row in vectors['digests']:
        for algorithm in DIGESTS:
            expect(DIGESTS[algorithm](pattern(row['length'])).hex() == row[algorithm], '%s of %d bytes' % (algorithm, row['length']))
    row = vectors['block_digests']
    data, step = pattern(row['length']), row['block_bytes']
    expect(''.join(blake3(data[at:at + step]).hex() for at in range(0, len(data), step)) == row['digests'], 'the block digests')
    for kind, legal in (('content_addresses', is_address), ('relative_paths', is_path)):
        for text in vectors[kind]['legal']:
            expect(legal(text), '%s refuses %r' % (kind, text))
        for text in vectors[kind]['refused']:
            expect(not legal(text), '%s takes %r' % (kind, text))
    ordered = vectors['relative_paths']['ordered']
    expect(sorted(ordered, key=lambda text: text.encode('utf-8')) == ordered, 'the order of paths')
    for row in vectors['object_keys']:
        expect(object_key(row['content_address'], row['generation']) == row['object_key'], 'the key %s' % row['object_key'])
    for row in vectors['cbor'] + [vectors['manifest']]:
        raw = bytes.fromhex(row['cbor'])
        try:
            value = decode(raw)
        except Refused as reason:
            expect(False, '%s is refused: %s' % (row['cbor'][:64], reason))
            continue
        expect(encode(value) == raw, '%s encodes to other bytes' % row['cbor'][:64])
        expect(canonical_json(value) == row['jcs'], '%s is %s as JSON' % (row['cbor'][:64], canonical_json(value)[:64]))
        expect(encode(json.loads(row['jcs'])) == raw, '%s encodes to other bytes' % row['jcs'][:64])
    for row in vectors['cbor_refused']:
        try:
            decode(bytes.fromhex(row['cbor']))
            expect(False, '%s is taken, with %s' % (row['cbor'], row['why']))
        except Refused:
            pass
    for row in vectors['metadata_terms']:
        expect(metadata_term(row['key'], json.loads(row['value'])) == row['term'], 'the term of %s' % row['key'])
    raw = bytes.fromhex(vectors['manifest']['cbor'])
    expect('blake3:' + blake3(raw).hex() == vectors['manifest']['digest'], 'the manifest digest')
    logs = {}
    for name in ('chain', 'log'):
        rows = [dict(row, **{key: bytes.fromhex(row[key]) for key in ('payload', 'payload_digest', 'link', 'chain_digest')}) for row in vectors[name]]
        events, _ = check_chain(rows, report)
        for event in events:
            expect(canonical_json(event['value']) == event['payload_jcs'], 'event %d of %s is other JSON' % (event['sequence'], name))
        check_manifests(events, None, report)
        logs[name] = events
    expect(logs['chain'][-1]['payload'] == raw, 'the last payload of the chain is not the manifest')
    views = fold_all(logs['log'])
    for table, rows in vectors['views'].items():
        expect(sorted(views[table].values(), key=canonical_json) == sorted(rows, key=canonical_json), '%s folds otherwise' % table)
    return '%d values, %d events, %d views' % (len(vectors['cbor']), sum(map(len, logs.values())), len(vectors['views']))


def main(arguments):
    report = Report()
    if arguments[:1] == ['vectors'] and len(arguments) == 2:
        summary = check_vectors(arguments[1], report)
    elif arguments[:1] == ['database'] and len(arguments) in (3, 4):
        summary = check_database(arguments[1], arguments[2], arguments[3] if len(arguments) == 4 else 'local', report)
    else:
        print(__doc__, file=sys.stderr)
        return 2
    for fault in report.faults:
        print(fault)
    if not report.faults:
        print(summary)
    return 1 if report.faults else 0


if __name__ == '__main__':
    sys.exit(main(sys.argv[1:]))
