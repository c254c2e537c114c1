"""What the OpenAPI can't say to schemathesis: which refusals are about the state of the registry, and not to wait long."""

import json
import os

import cbor2
import schemathesis

# Ids of records that there are.
KNOWN = json.loads(os.environ.get("KNOWN_RECORDS", "{}"))

# A request that is valid by the description may be refused for what the registry holds, or for what no schema can say.
ABOUT_STATE = {
    # what is there, and what is done to it already
    "package_not_found", "file_not_found", "object_not_found", "metadata_schema_not_found", "hold_not_found",
    "package_collected", "package_not_open", "package_not_finalized", "package_empty", "package_held",
    "path_conflict", "idempotency_conflict", "metadata_schema_conflict", "unknown_retention_class",
    "unknown_metadata_schema", "metadata_mismatch", "precondition_failed", "range_not_satisfiable",
    # where an upload is, who adds to it, and what its owner may have open; how long a body is beside what its headers say
    "upload_not_found", "upload_finished", "upload_incomplete", "upload_locked", "upload_offset_mismatch", "upload_length_mismatch",
    "upload_superseded", "too_many_uploads", "length_mismatch",
    # the same of a write session, and what its objects are beside what was announced
    "write_session_not_found", "write_session_object_not_found", "write_session_expired", "write_session_aborted",
    "write_session_incomplete", "write_session_closed", "write_session_committing", "write_session_object_received",
    "too_many_write_sessions", "write_session_too_large", "duplicate_name", "object_too_long",
    # blocks of a body that are not those that were announced
    "block_digest_mismatch",
    # a cursor is one that was given out, a digest that of the body, a schema one that can be used
    "invalid_cursor", "digest_mismatch", "invalid_metadata_schema", "metadata_schema_too_costly",
    # formats within a string or a body: numbers that no double carries, multipart, tar
    "malformed_json", "malformed_multipart", "malformed_archive",
}

# Fields with a syntax of their own (RFC 9530, RFC 9651), which a pattern does not describe, and fields of which one needs the other.
STRUCTURED = {
    "content-digest", "repr-digest", "artifactstore-annotations", "last-event-id", "content-range", "upload-complete", "upload-length",
    "upload-offset", "artifactstore-block-digests",
}


@schemathesis.check
def valid_is_accepted(ctx, response, case):
    """What is valid by the description is done, or refused for the registry's state."""
    if case.meta is None or not case.meta.generation.mode.is_positive or response.status_code < 400:
        return
    if case.method == "HEAD":
        return
    problem = response.json()
    code, field = problem["code"], problem.get("field", "")
    if code in ABOUT_STATE or (code == "invalid_header" and field in STRUCTURED):
        return
    # A key of metadata in a query has a grammar of its own.
    if field.startswith("metadata"):
        return
    # An extension is until a time that there is, later than the present one; a length is that of the bytes; the paths of a list differ.
    if code == "invalid_value" and field in ("/new_expires_at", "/extend_by_seconds", "size_bytes"):
        return
    # A file of a folder is asked for by a path with slashes, which no client makes of a parameter.
    if code == "invalid_path" and "encoded slash" in problem["detail"]:
        return
    # What an upload was begun with stays, and a digest is one that can be checked here.
    about = ("/media_type", "/package_id", "/relative_path", "/digests", "/content_address")
    if code == "invalid_value" and case.path == "/uploads/{id}/complete" and field in about:
        return
    # The package of an upload or of a session may be null, and what follows an answer then asks for one named so.
    if code == "invalid_id" and '"None"' in problem["detail"]:
        return
    # Without a body there is no type of it.
    if code == "unsupported_media_type" and case.method == "PATCH":
        return
    if code == "malformed_request" and field.endswith("/relative_path") and "named twice" in problem["detail"]:
        return
    raise AssertionError(f"valid by the description, and yet refused: {problem}")


@schemathesis.deserializer("application/cbor")
def cbor(ctx, response):
    return cbor2.loads(response.content)


@schemathesis.serializer("application/partial-upload")
def bytes_of_an_upload(ctx, value):
    return value if isinstance(value, bytes) else json.dumps(value).encode()


@schemathesis.hook
def before_call(ctx, case, kwargs):
    """Most packages are of a class that there is, half of the reads of records that there are, and nobody waits for long."""
    about_known_records(case)
    # Python's client takes 104 for the answer.
    if case.headers:
        case.headers.pop("Upload-Draft-Interop-Version", None)
    if case.method == "POST" and case.path == "/packages" and isinstance(case.body, dict):
        named = case.body.get("retention_class")
        if isinstance(named, str) and named.isprintable() and 0 < len(named) < 256 and len(named) % 4 != 3:
            case.body["retention_class"] = "raw-evidence"
        named = case.body.get("metadata_schema_slug")
        if isinstance(named, str) and named.isprintable() and 0 < len(named) < 256 and len(named) % 4 != 3:
            case.body["metadata_schema_slug"] = None
    if case.query and str(case.query.get("wait", "")).isdigit() and 0 < int(str(case.query["wait"])) <= 60:
        case.query["wait"] = 1


def about_known_records(case):
    """Half of what is asked validly, and follows from no answer before, is about records that there are."""
    if case.meta is None or not case.meta.generation.mode.is_positive or case.meta.phase.name.name == "STATEFUL":
        return
    given = case.path_parameters or {}
    if not given or case.path.startswith("/write-sessions/") or sum(map(ord, "".join(map(str, given.values())))) % 2 == 0:
        return
    for name in given:
        kind = "file_id" if case.path.startswith("/files/") else "package_id"
        known = KNOWN.get(kind if name == "id" else name)
        if known is not None:
            given[name] = known


@schemathesis.deserializer("application/yaml", "application/x-yaml", "text/yaml", "text/x-yaml", "text/vnd.yaml")
def bytes_of_a_file(ctx, response):
    """The server gives no YAML here: these are files, which may hold anything, and reading them would end the run."""
    return None
