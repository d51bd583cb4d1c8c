import { assert, describe, it } from "@effect/vitest"
import * as Arbitrary from "effect/Arbitrary"
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import { createHash } from "node:crypto"
import * as Acl from "../../src/Acl.ts"
import { sha1 } from "../../src/internal/sha1.ts"

const int32 = Schema.Int.check(Schema.isBetween({ minimum: -2147483648, maximum: 2147483647 }))

const accepted = (acl: Acl.Acl): boolean => Result.isSuccess(Acl.validate([acl]))

/** Each of these with its verdict. */
const judged = <A>(valid: ReadonlyArray<A>, invalid: ReadonlyArray<A>): ReadonlyArray<readonly [A, boolean]> => [
  ...valid.map((each) => [each, true] as const),
  ...invalid.map((each) => [each, false] as const)
]

/** The error of a list that must be refused. */
const refusal = (acl: ReadonlyArray<Acl.Acl>) => Result.getOrThrow(Result.flip(Acl.validate(acl)))

describe("sha1", () => {
  const reference = (bytes: Uint8Array) => new Uint8Array(createHash("sha1").update(bytes).digest())

  it("hashes inputs of all lengths around a block as node:crypto does", () => {
    for (let length = 0; length <= 200; length++) {
      const bytes = Uint8Array.from({ length }, (_, index) => (index * 37 + length * 11) & 0xff)
      assert.deepStrictEqual(sha1(bytes), reference(bytes), `${length} bytes`)
    }
  })

  it.prop("hashes any bytes as node:crypto does", [Schema.Array(Schema.Int)], ([numbers]) => {
    const bytes = Uint8Array.from(numbers)
    assert.deepStrictEqual(sha1(bytes), reference(bytes))
  })
})

describe("perms", () => {
  it("has the bits of the wire", () => {
    assert.deepStrictEqual(Acl.Perms, { READ: 1, WRITE: 2, CREATE: 4, DELETE: 8, ADMIN: 16, ALL: 31 })
  })

  it("are built from names, letters and bits", () => {
    assert.strictEqual(Acl.perms(["read"]), 1)
    assert.strictEqual(Acl.perms(["write"]), 2)
    assert.strictEqual(Acl.perms(["create"]), 4)
    assert.strictEqual(Acl.perms(["delete"]), 8)
    assert.strictEqual(Acl.perms(["admin"]), 16)
    assert.strictEqual(Acl.perms(["admin", "read", "read"]), 17)
    assert.strictEqual(Acl.perms([]), 0)
    assert.strictEqual(Acl.perms(""), 0)
    assert.strictEqual(Acl.perms("rw"), 3)
    assert.strictEqual(Acl.perms("cd"), 12)
    assert.strictEqual(Acl.perms("cdrwa"), 31)
    assert.strictEqual(Acl.perms(-7), -7)
  })

  it("that do not exist are refused by validate, not granted", () => {
    for (const wrong of ["x", "rx", ["execute"], ["toString"]]) {
      const perms = Acl.perms(wrong as Acl.PermsInput)
      assert.isNaN(perms)
      assert.strictEqual(refusal([Acl.world(perms)]).argument, "acl[0].perms")
    }
  })
})

describe("constructors", () => {
  it("make the predefined lists of the Java client", () => {
    assert.deepStrictEqual(Acl.open, [{ perms: 31, scheme: "world", id: "anyone" }])
    assert.deepStrictEqual(Acl.readOnly, [{ perms: 1, scheme: "world", id: "anyone" }])
    assert.deepStrictEqual(Acl.creator, [{ perms: 31, scheme: "auth", id: "" }])
    for (const list of [Acl.open, Acl.readOnly, Acl.creator]) {
      assert.deepStrictEqual(Acl.validate(list), Result.succeed(list))
    }
  })

  it("hash a password as the server's DigestAuthenticationProvider does", () => {
    const password = Redacted.make("secret")
    assert.deepStrictEqual(Acl.digest({ user: "bob", password, perms: "cdrwa" }), {
      perms: 31,
      scheme: "digest",
      id: "bob:fyVmFCwVbTJYrznoSu1koqYEYF0="
    })
  })

  it.prop(
    "hash user and password in UTF-8, colons in the password included",
    [Schema.String, Schema.String],
    ([user, password]) => {
      const expected = createHash("sha1").update(`${user}:${password}`, "utf8").digest("base64")
      assert.strictEqual(Acl.digest({ user, password: Redacted.make(password), perms: 1 }).id, `${user}:${expected}`)
    }
  )

  it("make an entry of each scheme", () => {
    assert.deepStrictEqual(Acl.make({ scheme: "custom", id: "x", perms: ["read", "admin"] }), {
      perms: 17,
      scheme: "custom",
      id: "x"
    })
    assert.deepStrictEqual(Acl.world("r"), { perms: 1, scheme: "world", id: "anyone" })
    assert.deepStrictEqual(Acl.auth("cdrwa"), { perms: 31, scheme: "auth", id: "" })
    assert.deepStrictEqual(Acl.digestId("bob:hash", "rw"), { perms: 3, scheme: "digest", id: "bob:hash" })
    assert.deepStrictEqual(Acl.ip("10.0.0.0/8", "r"), { perms: 1, scheme: "ip", id: "10.0.0.0/8" })
    assert.deepStrictEqual(Acl.x509("CN=zkclient", "r"), { perms: 1, scheme: "x509", id: "CN=zkclient" })
    assert.deepStrictEqual(Acl.sasl("jobs", "r"), { perms: 1, scheme: "sasl", id: "jobs" })
  })
})

describe("validate", () => {
  // What IPAuthenticationProvider.isValid of a server 3.8.0 answered.
  const validIps = ["1.2.3.4", "+1.2.3.4", "001.2.3.4", "-0.2.3.4", "1.2.3.00000000004", "\u0661.2.3.4"].concat(
    ["0", "32", "+8", "-0"].map((bits) => `1.2.3.4/${bits}`)
  )
  const invalidIps = ["", "a.b.c.d", "1.2.3", "1.2.3.256", " 1.2.3.4", "1.2.3.4."].concat(
    ["", "33", "8/9", "8 "].map((bits) => `1.2.3.4/${bits}`)
  )
  for (const [id, valid] of judged(validIps, invalidIps)) {
    it(`${valid ? "accepts" : "refuses"} the address ${JSON.stringify(id)} as a server does`, () => {
      assert.strictEqual(accepted(Acl.ip(id, 1)), valid)
    })
  }

  it("accepts the IPv6 addresses of 3.9.4", () => {
    const plain = ["::", "::1", "1::", "1:2:3:4:5:6:7::", "2001:db8::8a2e:370:7334", "ABCD::"]
    const others = ["2001:0db8:85a3:0000:0000:8a2e:0370:7334", "::ffff:10.0.0.1", "1:2:3:4:5:6:10.0.0.1"]
    for (const id of [...plain, ...others, "fe80::/10", "::1/128"]) {
      assert.isTrue(accepted(Acl.ip(id, 1)), id)
    }
    const malformed = [":", ":::", "1::2::3", "1:2", "1:2:3:4:5:6:7", "1:2:3:4:5:6:7:8:9", "1:2:3:4:5:6:7:8::"]
    const wrongParts = ["12345::", "g::", "::1/129", "::10.0.0", "[::1]"]
    const hosts = ["localhost:2181", "10.0.0.1:2181", "localhost", "zk.example.com"]
    for (const id of [...malformed, ...wrongParts, ...hosts]) {
      const error = refusal([Acl.ip(id, 1)])
      assert.strictEqual(error.argument, "acl[0].id", id)
      assert.strictEqual(error.value, id)
      assert.include(error.rule, "10.0.0.0/8")
    }
  })

  // What DigestAuthenticationProvider.isValid of a server 3.8.0 answered.
  const validDigests = ["a:b", ":b", "a:b:", "a:b::", ":b:", " : "]
  const invalidDigests = ["a", "a:", "a:b:c", ":", "", "::b", "a::b"]
  for (const [id, valid] of judged(validDigests, invalidDigests)) {
    it(`${valid ? "accepts" : "refuses"} the digest ${JSON.stringify(id)} as a server does`, () => {
      assert.strictEqual(accepted(Acl.digestId(id, 1)), valid)
    })
  }

  it("does not print what may be a password", () => {
    const error = refusal([Acl.digestId("bob:top:secret", 1)])
    assert.strictEqual(error.value, "bob:<redacted>")
    assert.notInclude(error.message, "secret")
    const parsed = Acl.parse("digest:bob:top:secret:rwx")
    assert.isTrue(Result.isFailure(parsed) && !parsed.failure.message.includes("secret"))
  })

  it("refuses an empty list and anybody of the world but anyone", () => {
    assert.strictEqual(refusal([]).argument, "acl")
    const error = refusal([Acl.world(1), Acl.make({ scheme: "world", id: "somebody", perms: 1 })])
    assert.strictEqual(error.argument, "acl[1].id")
    assert.strictEqual(error.value, "somebody")
    assert.strictEqual(refusal([Acl.make({ scheme: "", id: "x", perms: 1 })]).argument, "acl[0].scheme")
  })

  it("accepts perms without a meaning, doubles, and schemes of plug-ins", () => {
    for (const perms of [0, -1, 32, 2147483647, -2147483648]) assert.isTrue(accepted(Acl.world(perms)), String(perms))
    assert.isTrue(Result.isSuccess(Acl.validate([Acl.world(1), Acl.world(1)])))
    assert.isTrue(accepted(Acl.make({ scheme: "kerberos", id: "", perms: 1 })))
    assert.isTrue(accepted(Acl.make({ scheme: "auth", id: "ignored", perms: 1 })))
  })

  it("refuses perms that are no 32-bit integer", () => {
    for (const perms of [0.5, Number.NaN, Infinity, 2147483648, -2147483649]) {
      const error = refusal([Acl.world(perms)])
      assert.strictEqual(error.argument, "acl[0].perms")
      assert.strictEqual(error.value, String(perms))
    }
  })

  it("refuses what callers without types may send", () => {
    const untyped = Acl.validate as (acl: unknown) => ReturnType<typeof Acl.validate>
    for (const wrong of [
      undefined,
      null,
      {},
      "world:anyone:r",
      [null],
      [undefined],
      ["world:anyone:r"],
      [{}],
      [{ perms: 1 }],
      [{ perms: "1", scheme: "world", id: "anyone" }],
      [{ perms: 1, scheme: "world" }],
      [{ perms: 1, id: "anyone" }],
      [{ perms: 1, scheme: "auth", id: null }],
      [{ perms: 1n, scheme: "auth", id: "" }]
    ]) {
      assert.isTrue(Result.isFailure(untyped(wrong)))
    }
  })

  it.prop(
    "never throws",
    [Schema.Struct({ perms: Schema.Number, scheme: Schema.String, id: Schema.String })],
    ([acl]) => {
      Acl.validate([acl])
      Acl.validate([{ ...acl, perms: 1, scheme: "ip" }])
      Acl.validate([{ ...acl, perms: 1, scheme: "digest" }])
      Acl.format(acl)
      Acl.parse(acl.id)
    }
  )
})

describe("format and parse", () => {
  const table: ReadonlyArray<readonly [Acl.Acl, string]> = [
    [Acl.world("cdrwa"), "world:anyone:cdrwa"],
    [Acl.world(["read"]), "world:anyone:r"],
    [Acl.world(["admin", "write", "create"]), "world:anyone:cwa"],
    [Acl.world(0), "world:anyone:"],
    [Acl.world(33), "world:anyone:33"],
    [Acl.world(-1), "world:anyone:-1"],
    [Acl.auth("cdrwa"), "auth::cdrwa"],
    [Acl.digestId("bob:fyVmFCwVbTJYrznoSu1koqYEYF0=", "cdrwa"), "digest:bob:fyVmFCwVbTJYrznoSu1koqYEYF0=:cdrwa"],
    [Acl.ip("::1", "r"), "ip:::1:r"],
    [Acl.x509("CN=a,O=b", "rw"), "x509:CN=a,O=b:rw"]
  ]
  for (const [acl, text] of table) {
    it(`writes and reads ${text}`, () => {
      assert.strictEqual(Acl.format(acl), text)
      assert.deepStrictEqual(Acl.parse(text), Result.succeed(acl))
    })
  }

  it("reads letters in any order and bits as a number", () => {
    assert.deepStrictEqual(Acl.parse("world:anyone:awrdc"), Result.succeed(Acl.world(31)))
    assert.deepStrictEqual(Acl.parse("world:anyone:31"), Result.succeed(Acl.world(31)))
  })

  it("refuses what is no entry", () => {
    for (const text of ["", "world", "world:anyone", ":anyone:r", "world:anyone:x", "world:anyone:4294967296", "::"]) {
      const result = Acl.parse(text, "list[3]")
      assert.isTrue(Result.isFailure(result) && result.failure.argument === "list[3]", text)
    }
  })

  const schemes = Arbitrary.filter(Arbitrary.schema(Schema.NonEmptyString), (text) => !text.includes(":"))
  it.prop("undo each other", [schemes, Schema.String, int32], ([scheme, id, perms]) => {
    const acl = { perms, scheme, id }
    assert.deepStrictEqual(Acl.parse(Acl.format(acl)), Result.succeed(acl))
  })

  it.prop(
    "undo each other for the known bits",
    [Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 31 }))],
    ([perms]) => {
      assert.match(Acl.format(Acl.world(perms)), /^world:anyone:c?d?r?w?a?$/)
      assert.deepStrictEqual(Acl.parse(Acl.format(Acl.world(perms))), Result.succeed(Acl.world(perms)))
    }
  )
})

describe("a server of 3.8", () => {
  const known = ["world:anyone", "digest:bob:hash", "digest::hash", "digest:bob:hash:", "ip:10.0.0.0/8", "ip:0.0.0.0/0"]
  const unknown = ["world:somebody", "digest:bob:", "digest:a:b:c", "ip:10.0.0.1/33", "ip:::1", "ip:localhost"]
  for (const [entry, isKnown] of judged(known, [...unknown, "super:", "sasl:bob", "x509:CN=bob"])) {
    it(`${isKnown ? "knows" : "does not know"} ${entry}`, () => {
      const [, scheme = "", id = ""] = /^(.*?):(.*)$/.exec(entry) ?? []
      assert.strictEqual(Acl.isKnownId(scheme, id), isKnown)
    })
  }

  it("takes an address for one of a range when the bits that count agree", () => {
    for (const [range, address, matches] of [
      ["127.0.0.1", "127.0.0.1", true],
      ["127.0.0.1", "127.0.0.2", false],
      ["10.0.0.0/8", "10.255.0.1", true],
      ["10.0.0.0/8", "11.0.0.1", false],
      ["192.168.4.0/22", "192.168.7.255", true],
      ["192.168.4.0/22", "192.168.8.0", false],
      ["0.0.0.0/0", "255.1.2.3", true],
      ["255.0.0.0/1", "127.0.0.1", false],
      ["127.0.0.1/32", "127.0.0.1", true],
      ["0.0.0.0/0", "::1", false]
    ] as const) {
      assert.strictEqual(Acl.matches("ip", range, address), matches, `${range} ${address}`)
    }
  })

  it("takes all other identities by their text", () => {
    assert.isTrue(Acl.matches("digest", "bob:hash", "bob:hash"))
    assert.isFalse(Acl.matches("digest", "bob:hash", "bob:other"))
  })

  it("makes of credentials the id that the constructor makes", () => {
    const idOf = (text: string) => Acl.digestIdOf(Redacted.make(new TextEncoder().encode(text)))
    const password = Redacted.make("secr\u00e9t:\u{1f600}")
    const entry = Acl.digest({ user: "bob", password, perms: "r" })
    assert.strictEqual(idOf("bob:secr\u00e9t:\u{1f600}"), entry.id)
    assert.strictEqual(idOf("bob:secret"), "bob:fyVmFCwVbTJYrznoSu1koqYEYF0=")
    assert.match(idOf("nobody"), /^nobody:/, "without a colon all of it is the user")
  })
})
