/** What is wrong with a file, with the line and column at which it is told. */
export const badFiles: readonly (readonly [what: string, toml: string, ...expected: readonly RegExp[]])[] = [
  ['syntax', 'a = 1\nb = \n', /^2:5 Invalid TOML/],
  ['nothing', ' \n', /^1:1 the file is empty/],
  ['an unknown table', '[isuers.x]\n', /^1:2 "isuers" is not known in an access file; did you mean issuers\?/],
  ['grants that are one table', '[grants]\nrole = "reader"', /^1:2 grants are a list of tables/],
  ['an issuer that is no table', 'issuers = "x"', /^1:1 issuers are tables/],
  ['issuers that are no tables', '[issuers]\nx = "https://issuer.example"', /^2:1 issuers.x must be a table/],
  ['half a character', '[issuers."x\\uD800"]\n', /^1:\d+ Invalid TOML/],
  [
    'an issuer of an odd name',
    '[issuers."x\\u0007"]\nissuer = "https://issuer.example"\naudience = "a"',
    /^1:10 "x\\u0007" is no name for an issuer/,
  ],
];

/** The same within `[issuers.x]`, whose first line is the second. */
export const badIssuers: typeof badFiles = [
  ['no address', 'audience = "a"', /^1:10 .* needs issuer/],
  ['no audience', 'issuer = "https://issuer.example"', /^1:10 .* needs audience/],
  ['http', 'issuer = "http://issuer.example"\naudience = "a"', /^2:10 issuer must begin with https/],
  ['two audiences', 'issuer = "https://issuer.example"\naudience = ["a", "b"]', /^3:12 audience is exactly one text/],
  [
    'an algorithm with a shared secret',
    'issuer = "https://issuer.example"\naudience = "a"\nalgorithms = ["RS256", "HS256"]',
    /^4:24 "HS256" is never/,
  ],
  ['none', 'issuer = "https://issuer.example"\naudience = "a"\nalgorithms = ["none"]', /^4:15 "none" is never taken/],
  ['an unknown algorithm', 'issuer = "https://issuer.example"\naudience = "a"\nalgorithms = ["RS1"]', /^4:15 "RS1" is no algorithm/],
  [
    'a life without end',
    'issuer = "https://issuer.example"\naudience = "a"\nmaximum_age_seconds = 9e9',
    /^4:23 .* whole number of seconds from 1 to 86400/,
  ],
  [
    'a slip',
    'issuer = "https://issuer.example"\naudience = "a"\njwk_url = "x"',
    /^4:1 "jwk_url" is not known in \[issuers.x\]; did you mean jwks_url\?/,
  ],
  [
    'keys over http',
    'issuer = "https://issuer.example"\naudience = "a"\njwks_url = "http://issuer.example/keys"',
    /^4:12 jwks_url must begin with https/,
  ],
  ['a relative path', 'issuer = "https://issuer.example"\naudience = "a"\nca_file = "ca.pem"', /^4:11 ca_file must be an absolute path/],
  ['single use as text', 'issuer = "https://issuer.example"\naudience = "a"\nsingle_use = "yes"', /^4:14 single_use must be true or false/],
];

/** The same within `[issuers.x.console]`, whose first line is the fifth; the audience of its table is `a`. */
export const badConsoles: typeof badFiles = [
  ['no client', 'url = "https://here.example/"', /^4:12 \[issuers\.x\.console\] needs client_id/],
  ['no address', 'client_id = "a"', /^4:12 \[issuers\.x\.console\] needs url/],
  ['another client', 'client_id = "b"\nurl = "https://here.example/"', /^5:13 client_id must be the audience of its table, which is "a"/],
  ['http', 'client_id = "a"\nurl = "http://here.example/"', /^6:7 url must begin with https/],
  ['a query', 'client_id = "a"\nurl = "https://here.example/?x"', /^6:7 url must not have a query/],
  [
    'the secret itself',
    'client_id = "a"\nurl = "https://here.example/"\nclient_secret = "hunter2"',
    /^7:17 client_secret must be env:NAME, file:\/absolute\/path or secret:NAME; never the secret itself$/,
  ],
  [
    'scopes without openid',
    'client_id = "a"\nurl = "https://here.example/"\nscopes = ["profile"]',
    /^7:10 scopes must be names of scopes, with "openid"/,
  ],
  [
    'a slip',
    'client_id = "a"\nurl = "https://here.example/"\nclient_secert = "env:X"',
    /^7:1 "client_secert" is not known in \[issuers\.x\.console\]; did you mean client_secret\?/,
  ],
];

/** The same in `[[grants]]`, whose first line is the fourth; `own` is an issuer, `github` and `gitlab` are those. */
export const badGrants: typeof badFiles = [
  ['nobody', 'role = "reader"\nproducers = ["a"]', /^10:3 the grant says of nobody whose it is/],
  ['two holders', 'anonymous = true\nissuer = "own"\nrole = "reader"\nproducers = ["a"]', /^10:3 the grant says both issuer and anonymous/],
  [
    'an unknown key',
    'anonymous = true\nrole = "reader"\nproducer = ["a"]',
    /the grant needs producers/,
    /^13:1 "producer" is not .* mean producers\?/,
  ],
  ['the token itself', 'token = "abc"\nrole = "reader"\nproducers = ["a"]', /says of nobody/, /^11:1 no token belongs into this file/],
  [
    'an unknown role',
    'anonymous = true\nrole = "raeder"\nproducers = ["a"]',
    /^12:8 role must be one of reader, writer, keeper, admin, not "raeder"; did you mean reader\?/,
  ],
  ['no role', 'anonymous = true\nproducers = ["a"]', /^10:3 the grant needs role/],
  ['an observer', 'anonymous = true\nrole = "observer"\nproducers = ["a"]', /^12:8 role must be one of/],
  ['an anonymous writer', 'anonymous = true\nrole = "writer"\nproducers = ["a"]', /^12:8 a grant for everybody .* not of a writer/],
  ['an anonymous actor', 'anonymous = true\nactor = "x"\nrole = "reader"\nproducers = ["a"]', /^12:1 whoever has no token has no name/],
  ['anonymous = false', 'anonymous = false\nrole = "reader"\nproducers = ["a"]', /^11:13 anonymous is true or left out/],
  ['producers as text', 'anonymous = true\nrole = "reader"\nproducers = "a"', /^13:13 producers must be a list/],
  ['a producer that is no text', 'anonymous = true\nrole = "reader"\nproducers = ["ok", 7]', /^13:20 a producer must be text, not 7/],
  ['no producer', 'anonymous = true\nrole = "reader"\nproducers = []', /^13:13 producers must be a list of 1/],
  ['a control character', 'anonymous = true\nrole = "reader"\nproducers = ["ok", "a\\u0007"]', /^13:20 "a\\u0007" is no producer/],
  ['a long producer', `anonymous = true\nrole = "reader"\nproducers = ["${'p'.repeat(257)}"]`, /^13:14 .* is no producer/],
  ['a producer twice', 'anonymous = true\nrole = "reader"\nproducers = ["a", "a"]', /^13:19 "a" is named twice/],
  [
    'a bounded admin',
    `token_sha256 = "${'a'.repeat(64)}"\nactor = "x"\nrole = "admin"\nproducers = ["a"]`,
    /^14:13 an admin may do everything/,
  ],
  [
    'an unknown issuer',
    'issuer = "gihub"\nclaims = { x = "1" }\nactor = "a"\nrole = "reader"\nproducers = ["a"]',
    /^11:10 there is no \[issuers.gihub\] in this file; did you mean github\?/,
  ],
  ['no claims', 'issuer = "own"\nactor = "a"\nrole = "reader"\nproducers = ["a"]', /^10:3 the grant needs claims/],
  [
    'claims that are no table',
    'issuer = "own"\nclaims = "repository_id"\nactor = "a"\nrole = "reader"\nproducers = ["a"]',
    /^12:10 claims must be a table, such as /,
  ],
  [
    'an issuer without an actor',
    'issuer = "own"\nclaims = { x = "1" }\nrole = "reader"\nproducers = ["a"]',
    /^10:3 the grant needs actor: what the log records/,
  ],
  ['no claim', 'issuer = "own"\nclaims = {}\nactor = "a"\nrole = "reader"\nproducers = ["a"]', /^12:1 claims must name 1 to 32/],
  [
    'a slip in its actor',
    'issuer = "github"\nclaims = { repository_id = "1" }\nactor = "github:{repositry}"\nrole = "reader"\nproducers = ["a"]',
    /^13:1 GitHub gives no claim "repositry"; did you mean repository/,
  ],
  [
    'a bad digest',
    'token_sha256 = "s3cr3t"\nactor = "x"\nrole = "reader"\nproducers = ["a"]',
    /^11:16 token_sha256 must be 64 hex digits(?!.*s3cr3t)/,
  ],
  [
    'the digest of nothing',
    'token_sha256 = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"\nactor = "x"\nrole = "reader"\nproducers = ["a"]',
    /^11:16 .* of an empty text/,
  ],
  [
    'a token without an actor',
    `token_sha256 = "${'a'.repeat(64)}"\nrole = "reader"\nproducers = ["a"]`,
    /^10:3 the grant of a token needs actor/,
  ],
  [
    'a token with a template',
    `token_sha256 = "${'a'.repeat(64)}"\nactor = "x{ref}"\nrole = "reader"\nproducers = ["a"]`,
    /^12:9 the actor of a token must be letters/,
  ],
  [
    'claims of a token',
    `token_sha256 = "${'a'.repeat(64)}"\nactor = "x"\nclaims = { a = "b" }\nrole = "reader"\nproducers = ["a"]`,
    /^13:1 claims are those of tokens/,
  ],
];

/** Of `claims` for the issuer named first, on line 12. */
export const badClaims: readonly (readonly [issuer: string, claims: string, expected: RegExp])[] = [
  ['own', '{ aud = "x" }', /^12:12 the claim "aud" is nothing to bind: issuer and audience/],
  ['own', '{ exp = 1 }', /^12:12 the claim "exp" is nothing to bind/],
  ['own', '{ "" = "x" }', /^12:12 "" names no claim: the name of a claim is empty/],
  ['own', '{ "/a~2" = "x" }', /^12:12 "\/a~2" names no claim: in a JSON pointer/],
  ['own', '{ "/a//b" = "x" }', /^12:12 .* empty part/],
  ['own', '{ ref = "v*" }', /^12:18 "v\*" is no text to be compared: write \{ glob = "v\*" \} if a pattern is meant/],
  ['own', '{ "a\\u0007" = "x" }', /^12:12 "a\\u0007" names no claim: .* control character/],
  ['own', '{ ref = "a\\u0007" }', /^12:18 "ref" must have 1 to 1024 characters, and no control characters/],
  ['own', '{ ref = { glob = "a*\\u0007" } }', /^12:18 the glob must have 1 to 1024 characters, and no control characters/],
  ['own', '{ ref = { glob = "v1" } }', /^12:18 "v1" has neither \* nor \?/],
  ['own', '{ ref = ["a", { glob = 1 }] }', /^12:24 "ref" must be text, .* \{ glob = "…" \}/],
  ['own', '{ ref = { glob = "a*", not = "ab" } }', /^12:18 "ref" must be text, .*, not \{ not = … \}/],
  ['own', '{ ref = [] }', /^12:18 the list of "ref" must have 1 to 1000 values/],
  ['own', '{ ref = 1979-05-27 }', /^12:18 "ref" must be text, a number/],
  ['own', '{ id = 12345678901234567890 }', /^12:17 12345678901234567890 is beyond what JSON numbers/],
  ['own', '{ id = inf }', /^12:17 "id" must be a number that there is/],
  ['own', '{ kubernetes.io.namespace = "x" }', /^12:38 "kubernetes" must be .* JSON pointer in quotes/],
  ['own', '{ a = "x", "/a" = "y" }', /^12:21 the claim "\/a" is named twice/],
  ['own', '{ sub = { glob = "repo:acme/*" } }', /^12:18 no parts of "sub" can be bound/],
  ['github', '{ sub = { glob = "repo:acme/*" } }', /^12:18 no parts of "sub" can be bound.*Bind repository_id/],
  ['github', '{ repository_owner_id = "1", repo_id = "1" }', /^12:39 GitHub gives no claim "repo_id"; did you mean repository_id\?/],
  ['github', '{ repository_id = 1 }', /^12:28 GitHub gives "repository_id" as text: write "1", in quotes/],
  ['github', '{ repository_id = { glob = "12*" } }', /^12:28 .* means nothing in parts/],
  [
    'github',
    '{ ref = "refs/heads/main" }',
    /^12:1 these claims hold for jobs of anybody at GitHub: bind repository_id or repository_owner_id/,
  ],
  ['github', '{ repository = { glob = "acme*" } }', /^12:1 these claims hold for jobs of anybody/],
  ['github', '{ repository = { glob = "*/app" } }', /^12:1 these claims hold for jobs of anybody/],
  ['github', '{ repository = ["acme/app", { glob = "*/app" }] }', /^12:1 these claims hold for jobs of anybody/],
  ['gitlab', '{ ref_protected = true }', /^12:28 GitLab gives "ref_protected" as text: write "true", in quotes/],
];

/** Two grants that do not go together, and what is told of one of them. */
export const badPairs: readonly (readonly [what: string, first: string, second: string, expected: RegExp])[] = [
  [
    'the same',
    'claims = { a = "1" }\nactor = "x"\nrole = "reader"\nproducers = ["p"]',
    'claims = { a = "1" }\nactor = "x"\nrole = "reader"\nproducers = ["p"]',
    /the grant at line \d+ gives all of this already/,
  ],
  [
    'two actors',
    'claims = { a = "1", b = 2 }\nactor = "x"\nrole = "reader"\nproducers = ["p"]',
    'claims = { b = 2, a = "1" }\nactor = "y"\nrole = "writer"\nproducers = ["q"]',
    /under another actor: one holder has one/,
  ],
  [
    'fewer claims',
    'claims = { a = "1", b = "2" }\nactor = "x"\nrole = "reader"\nproducers = ["p"]',
    'claims = { a = "1" }\nactor = "y"\nrole = "writer"\nproducers = ["p", "q"]',
    /gives all of this already/,
  ],
  [
    'a pattern',
    'claims = { a = ["v1", "v2"] }\nactor = "x"\nrole = "keeper"\nproducers = ["p-1", "p-2?"]',
    'claims = { a = { glob = "v*" } }\nactor = "y"\nrole = "keeper"\nproducers = ["p-*"]',
    /gives all of this already/,
  ],
];

/** Two grants that add up. */
export const goodPairs: readonly (readonly [what: string, first: string, second: string])[] = [
  [
    'other roles',
    'claims = { a = "1" }\nactor = "x"\nrole = "writer"\nproducers = ["p"]',
    'claims = { a = "1" }\nactor = "x"\nrole = "keeper"\nproducers = ["p"]',
  ],
  [
    'other producers',
    'claims = { a = "1" }\nactor = "x"\nrole = "writer"\nproducers = ["p"]',
    'claims = { a = "1" }\nactor = "x"\nrole = "reader"\nproducers = ["*"]',
  ],
  [
    'other values',
    'claims = { a = ["1", "2"] }\nactor = "x"\nrole = "reader"\nproducers = ["p"]',
    'claims = { a = ["2", "3"] }\nactor = "y"\nrole = "reader"\nproducers = ["p"]',
  ],
  [
    'other claims',
    'claims = { a = "1" }\nactor = "x"\nrole = "reader"\nproducers = ["p"]',
    'claims = { b = "1" }\nactor = "y"\nrole = "reader"\nproducers = ["p"]',
  ],
  [
    'a pattern that is not as wide as it looks',
    'claims = { a = { glob = "v?" } }\nactor = "x"\nrole = "writer"\nproducers = ["p"]',
    'claims = { a = { glob = "v*" } }\nactor = "y"\nrole = "reader"\nproducers = ["p"]',
  ],
  [
    'a narrower pattern first',
    'claims = { a = { glob = "v?" } }\nactor = "x"\nrole = "reader"\nproducers = ["p"]',
    'claims = { a = { glob = "?1" } }\nactor = "y"\nrole = "reader"\nproducers = ["p"]',
  ],
];

export const badQuotas: typeof badFiles = [
  ['a pattern', '[quotas."acme-*"]\nmaximum_bytes = 1', /^1:9 a quota is for one producer/],
  ['quotas that are one number', 'quotas = 5', /^1:1 quotas are tables of their own/],
  ['a number', '[quotas]\nacme = 5', /^2:1 quotas.acme must be a table with maximum_bytes, maximum_packages/],
  ['nothing', '[quotas.acme]', /^1:9 the quota of "acme" says nothing/],
  [
    'half a byte',
    '[quotas.acme]\nmaximum_bytes = 1.5',
    /^2:17 maximum_bytes must be a whole number of bytes from 0 to 9007199254740991, not 1.5/,
  ],
  ['beyond what is exact', '[quotas.acme]\nmaximum_packages = 9007199254740992', /^2:20 .* not 9007199254740992/],
  ['less than nothing', '[quotas.acme]\nmaximum_packages = -1', /^2:20 maximum_packages must be/],
  ['text', '[quotas.acme]\nmaximum_bytes = "1GB"', /^2:17 .* not "1GB"/],
  ['an unknown key', '[quotas.acme]\nmaximum_bytes = 1\nmax_files = 1', /^3:1 "max_files" is not known/],
  ['a name with a dot', '[quotas.acme.app]\nmaximum_bytes = 1', /^1:14 .* is written in quotes: \[quotas."acme.app"\]/],
  ['a control character', '[quotas."a\\u0001"]\nmaximum_bytes = 1', /^1:9 "a\\u0001" is no producer/],
];
