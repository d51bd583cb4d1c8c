/** The commands that look at the tree: what they print, what they refuse, and their JSON. */
import * as Acl from "@effect-zookeeper/client/Acl"
import { assert } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import * as Zlib from "node:zlib"
import * as Output from "../../src/Output.ts"
import { describeOnServers } from "../support/zk.ts"

/** The document of a command, by its Schema. */
const document = <A, I>(schema: Schema.Codec<A, I>, out: string): A =>
  Schema.decodeUnknownSync(Schema.fromJsonString(schema))(out)

/** The items of a command with `--ndjson`, by their Schema. */
const items = <A, I>(schema: Schema.Codec<A, I>, out: string): ReadonlyArray<A> =>
  out
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => document(schema, line))

const secret = Redacted.make("ann:secret")

describeOnServers("zk ls", (it) => {
  it.inChroot("prints the names of the children, sorted", function* ({ run, zk }) {
    yield* zk.create("/b")
    yield* zk.create("/a")
    yield* zk.create("/a/below")
    const { code, err, out } = yield* run(["ls", "/"])
    assert.deepStrictEqual({ code, out, err }, { code: 0, out: "a\nb\n", err: "" })
    assert.strictEqual((yield* run(["ls"])).out, out)
  })

  it.inChroot("prints the stat of each with -l", function* ({ run, zk }) {
    yield* zk.create("/a", { data: "12345" })
    yield* zk.set("/a", "123456")
    yield* zk.create("/e", { mode: "ephemeral" })
    const { out } = yield* run(["ls", "-l", "/"])
    const time = String.raw`\d{4}-\d\d-\d\d \d\d:\d\d:\d\dZ`
    assert.match(
      out,
      new RegExp(
        String.raw`^KIND VERSION CHILDREN   BYTES  WRITTEN {15}NAME\n` +
          String.raw`p          1        0       6  ${time}  a\ne          0        0       0  ${time}  e\n$`
      )
    )
    const titles = "KIND VERSION CHILDREN   BYTES  WRITTEN               PATH"
    for (const command of [
      ["ls", "-lR", "/"],
      ["find", "/a", "-l"]
    ]) {
      assert.strictEqual((yield* run(command)).out.split("\n")[0], titles)
    }
    // There is no table where there is nothing.
    assert.strictEqual((yield* run(["ls", "-l", "/a"])).out, "")
  })

  it.inChroot("prints all paths of a subtree with -R", function* ({ run, zk }) {
    yield* zk.ensurePath("/a/b/c")
    yield* zk.ensurePath("/a/d")
    assert.strictEqual((yield* run(["ls", "-R", "/a"])).out, "/a\n/a/b\n/a/b/c\n/a/d\n")
  })

  it.inChroot("prints JSON by its Schema", function* ({ run, zk }) {
    yield* zk.create("/a", { data: "12" })
    const plain = yield* run(["ls", "/", "--json"])
    assert.deepStrictEqual(document(Schema.Array(Output.Entry), plain.out), [{ path: "/a" }])
    const long = yield* run(["ls", "/", "-l", "--ndjson"])
    const { data: _, stat } = yield* zk.get("/a")
    assert.deepStrictEqual(items(Output.Entry, long.out), [{ path: "/a", kind: "persistent", stat }])
    assert.strictEqual((yield* run(["ls", "/a", "--json"])).out, "[]\n")
  })

  it.inChroot("ends with 3 where the znode does not exist", function* ({ run }) {
    const { code, err, out } = yield* run(["ls", "/none"])
    assert.deepStrictEqual({ code, out, err }, { code: 3, out: "", err: "zk: /none: no such znode\n" })
    assert.strictEqual((yield* run(["ls", "-R", "/none"])).code, 3)
  })

  it.inChroot("ends with 2 for an invalid path, before it connects", function* ({ run }) {
    const { code, err } = yield* run(["ls", "no-slash"])
    assert.strictEqual(code, 2)
    assert.include(err, 'a path must start with "/"')
  })

  it.inChroot("ends with 6 where the ACL forbids it", function* ({ another, run }) {
    const ann = yield* another({ auth: [{ scheme: "digest", credentials: secret }] })
    yield* ann.create("/hers", { acl: Acl.creator })
    const { code, err } = yield* run(["ls", "/hers", "--json"])
    assert.strictEqual(code, 6)
    assert.deepInclude(document(Output.Failure, err).error, { tag: "NoAuth", exitCode: 6 })
    const withAuth = yield* run(["ls", "/hers"], { env: { ZK_AUTH: "digest:ann:secret" } })
    assert.strictEqual(withAuth.code, 0)
  })

  it.inChroot("shows names that could act on the terminal as escapes", function* ({ run, zk }) {
    yield* zk.create("/a\u202Eb")
    assert.strictEqual((yield* run(["ls", "/"])).out, "a\\u202eb\n")
  })
})

describeOnServers("zk tree", (it) => {
  it.inChroot("draws a subtree, with its totals", function* ({ run, zk }) {
    yield* zk.ensurePath("/app/a/deep")
    yield* zk.create("/app/b", { data: "12345" })
    const { code, out } = yield* run(["tree", "/app"])
    assert.strictEqual(code, 0)
    const drawn = "/app\n├── a\n│   └── deep\n└── b\n\n4 znodes, 5 bytes of data\n"
    assert.strictEqual(out, drawn)
  })

  it.inChroot("stops at a depth, and says what is below", function* ({ run, zk }) {
    yield* zk.create("/app")
    yield* zk.create("/app/a")
    yield* zk.create("/app/a/deep")
    const { out } = yield* run(["tree", "/app", "-L", "1", "--sizes"])
    assert.strictEqual(out, "/app  (0)\n└── a  (0, 1 child)\n\n2 znodes, 0 bytes of data\n")
  })

  it.inChroot(
    "goes on where it may not read, as all commands of a subtree do, and ends with 6",
    function* ({ another, run }) {
      const ann = yield* another({ auth: [{ scheme: "digest", credentials: secret }] })
      yield* ann.create("/app")
      yield* ann.create("/app/hers", { acl: Acl.creator })
      yield* ann.create("/app/hers/below")
      yield* ann.create("/app/ours")
      const { code, err, out } = yield* run(["tree", "/app"])
      assert.strictEqual(
        out,
        "/app\n├── hers  (forbidden)\n└── ours\n\n3 znodes, 0 bytes of data, 1 forbidden to read\n"
      )
      assert.strictEqual(code, 6)
      assert.match(err, /^zk: not all was read: \/app\/hers may not be read; .*\n$/)
      assert.strictEqual((yield* run(["tree", "/app", "-L", "1"])).code, 0)
      for (const command of [["ls", "-R"], ["du"], ["find", "--contains", "x"], ["ephemerals"]]) {
        assert.strictEqual((yield* run([...command, "/app"])).code, 6, command.join(" "))
      }
      assert.strictEqual((yield* run(["ls", "-l", "/app"])).code, 0)
      assert.strictEqual((yield* run(["ls", "-l", "/app/hers"])).code, 6)
    }
  )

  it.inChroot("prints JSON by its Schema", function* ({ run, zk }) {
    yield* zk.create("/app")
    yield* zk.create("/app/e", { mode: "ephemeral" })
    const found = items(Output.Znode, (yield* run(["tree", "/app", "--ndjson"])).out)
    assert.deepStrictEqual(
      found.map(({ depth, kind, path }) => ({ path, depth, kind })),
      [
        { path: "/app", depth: 0, kind: "persistent" },
        { path: "/app/e", depth: 1, kind: "ephemeral" }
      ]
    )
    assert.strictEqual((yield* run(["tree", "/none"])).code, 3)
  })
})

describeOnServers("zk get", (it) => {
  it.inChroot("writes the bytes as they are into a pipe", function* ({ run, zk }) {
    const bytes = new Uint8Array([0, 255, 27, 91, 50, 74])
    yield* zk.create("/bytes", { data: bytes })
    assert.deepStrictEqual((yield* run(["get", "/bytes"])).bytes, bytes)
  })

  it.inChroot("shows text, hex, base64 and JSON", function* ({ run, zk }) {
    yield* zk.create("/a", { data: '{"a":[1]}' })
    const get = (as: string) => Effect.map(run(["get", "/a", "--as", as]), ({ out }) => out)
    assert.strictEqual(yield* get("text"), '{"a":[1]}\n')
    assert.strictEqual(yield* get("json"), '{\n  "a": [\n    1\n  ]\n}\n')
    assert.strictEqual(yield* get("base64"), `${Buffer.from('{"a":[1]}').toString("base64")}\n`)
    assert.strictEqual(yield* get("hex"), `00000000  7b 22 61 22 3a 5b 31 5d  7d${" ".repeat(21)}  |{"a":[1]}|\n`)
  })

  it.inChroot("shows data that could act on a terminal as hex there", function* ({ run, zk }) {
    yield* zk.create("/a", { data: "\u001b[2J" })
    assert.include((yield* run(["get", "/a"], { terminal: "" })).out, "1b 5b 32 4a")
    yield* zk.set("/a", "text\u202E\n")
    assert.strictEqual((yield* run(["get", "/a"], { terminal: "" })).out, "text\\u202e\n")
  })

  it.inChroot("recognises gzip", function* ({ run, zk }) {
    const packed = new Uint8Array(Zlib.gzipSync("inside"))
    yield* zk.create("/a", { data: packed })
    assert.strictEqual((yield* run(["get", "/a"], { terminal: "" })).out, "inside\n")
    assert.strictEqual((yield* run(["get", "/a", "--gunzip"])).out, "inside")
    assert.deepStrictEqual((yield* run(["get", "/a"])).bytes, packed)
    const json = document(Output.Data, (yield* run(["get", "/a", "--gunzip", "--json"])).out)
    assert.deepInclude(json, { encoding: "utf8", data: "inside", gunzipped: true })
  })

  it.inChroot("ends with 1 where the data has no such form", function* ({ run, zk }) {
    yield* zk.create("/a", { data: "{" })
    const { code, err, out } = yield* run(["get", "/a", "--as", "json"])
    assert.deepStrictEqual(
      { code, out, err },
      { code: 1, out: "", err: "zk: the data is not JSON; --as text shows it\n" }
    )
    yield* zk.set("/a", new Uint8Array([0x1f, 0x8b, 8, 0, 1]))
    assert.strictEqual((yield* run(["get", "/a", "--as", "text"])).code, 1)
  })

  it.inChroot("prints JSON by its Schema", function* ({ run, zk }) {
    yield* zk.create("/a", { data: "text" })
    const { data: _, stat } = yield* zk.get("/a")
    const expected = { path: "/a", encoding: "utf8", gunzipped: false, data: "text", stat }
    assert.deepStrictEqual<unknown>(document(Output.Data, (yield* run(["get", "/a", "--json"])).out), expected)
    yield* zk.set("/a", new Uint8Array([255]))
    const binary = document(Output.Data, (yield* run(["get", "/a", "--json"])).out)
    assert.deepInclude(binary, { encoding: "base64", data: "/w==" })
    assert.strictEqual((yield* run(["get", "/none"])).code, 3)
  })
})

describeOnServers("zk stat", (it) => {
  it.inChroot("prints each field, in text and in JSON", function* ({ run, zk }) {
    yield* zk.create("/a", { data: "text" })
    const { data: _, stat } = yield* zk.get("/a")
    const { out } = yield* run(["stat", "/a"])
    assert.include(out, `czxid ${Output.formatHex(stat.czxid)}`)
    assert.include(out, "data          4 bytes\n")
    const json = document(Output.PathAndStat, (yield* run(["stat", "/a", "--json"])).out)
    assert.deepStrictEqual(json, { path: "/a", kind: "persistent", stat })
    assert.strictEqual((yield* run(["stat", "/none"])).code, 3)
  })
})

describeOnServers("zk find", (it) => {
  it.inChroot("finds by name, kind, owner, size, age and content", function* ({ run, zk }) {
    yield* zk.create("/lock-1", { mode: "ephemeral", data: "holder db1" })
    yield* zk.create("/other", { data: "x".repeat(2000) })
    yield* zk.create("/.hidden")
    const find = (...args: ReadonlyArray<string>) => Effect.map(run(["find", "/", ...args]), ({ out }) => out)
    assert.strictEqual(yield* find("--name", "lock-*"), "/lock-1\n")
    assert.strictEqual(yield* find("--name", "*hid*"), "/.hidden\n")
    assert.strictEqual(yield* find("--kind", "ephemeral"), "/lock-1\n")
    assert.strictEqual(yield* find("--owner", Output.formatHex(zk.session.id)), "/lock-1\n")
    assert.strictEqual(yield* find("--owner", "0x1"), "")
    assert.strictEqual(yield* find("--larger", "1k"), "/other\n")
    assert.strictEqual(yield* find("--smaller", "1"), "/\n/.hidden\n")
    assert.strictEqual(yield* find("--older", "1h", "--larger", "0"), "")
    assert.strictEqual(yield* find("--newer", "1h", "--larger", "1k"), "/other\n")
    assert.strictEqual(yield* find("--contains", "db1"), "/lock-1\n")
    assert.strictEqual(yield* find("--matches", "^x+$"), "/other\n")
    assert.strictEqual(yield* find("-L", "0"), "/\n")
    const json = items(Output.Znode, yield* find("--larger", "1k", "--ndjson"))
    assert.deepStrictEqual(
      json.map(({ path }) => path),
      ["/other"]
    )
  })

  it.inChroot("ends with 2 for conditions that mean nothing", function* ({ run }) {
    for (const [flag, value] of [
      ["--larger", "big"],
      ["--older", "soon"],
      ["--owner", "ann"],
      ["--matches", "("],
      ["-L", "-1"]
    ] as const) {
      const { code, err } = yield* run(["find", "/", flag, value])
      assert.strictEqual(code, 2, err)
    }
    assert.strictEqual((yield* run(["find", "/none"])).code, 3)
  })
})

describeOnServers("zk du", (it) => {
  it.inChroot("counts the znodes and bytes of subtrees, children first", function* ({ run, zk }) {
    yield* zk.create("/a", { data: "1" })
    yield* zk.create("/a/b", { data: "12" })
    yield* zk.create("/a/b/c", { data: "123" })
    yield* zk.create("/z", { data: "x".repeat(2048) })
    const { out } = yield* run(["du", "/"])
    assert.strictEqual(
      out,
      "  ZNODES    BYTES  PATH\n       3        6  /a\n       1     2.0K  /z\n       5     2.0K  /\n"
    )
    const deep = items(Output.Total, (yield* run(["du", "/a", "-L", "2", "--ndjson"])).out)
    assert.deepStrictEqual(deep, [
      { path: "/a/b/c", depth: 2, znodes: 1, bytes: 3 },
      { path: "/a/b", depth: 1, znodes: 2, bytes: 5 },
      { path: "/a", depth: 0, znodes: 3, bytes: 6 }
    ])
    assert.strictEqual((yield* run(["du", "/none"])).code, 3)
  })
})

describeOnServers("zk acl, whoami, ephemerals and config", (it) => {
  it.inChroot("acl prints the entries", function* ({ run, zk }) {
    yield* zk.create("/a", { acl: [Acl.world("r"), Acl.ip("10.0.0.0/8", "cdrwa")] })
    assert.strictEqual((yield* run(["acl", "/a"])).out, "world:anyone:r\nip:10.0.0.0/8:cdrwa\n")
    assert.deepStrictEqual(document(Output.Acl, (yield* run(["acl", "/a", "--json"])).out), {
      path: "/a",
      aversion: 0,
      acl: [
        { scheme: "world", id: "anyone", perms: "r" },
        { scheme: "ip", id: "10.0.0.0/8", perms: "cdrwa" }
      ]
    })
    assert.strictEqual((yield* run(["acl", "/none"])).code, 3)
  })

  it.inChroot("acl does not advise itself where it is refused", function* ({ run, zk }) {
    yield* zk.create("/secret", { acl: [Acl.world("d")] })
    const refused = (...args: ReadonlyArray<string>) => Effect.map(run(args), ({ code, err }) => [code, err])
    const who = "`zk whoami` shows your identities, --auth-file gives credentials\n"
    const seeing = "to see its ACL needs the permission to read or to administer it"
    assert.deepStrictEqual(yield* refused("acl", "/secret"), [6, `zk: /secret: not permitted; ${seeing}; ${who}`])
    const other = "`zk acl` shows its ACL, `zk whoami` your identities, --auth-file gives credentials\n"
    assert.deepStrictEqual(yield* refused("get", "/secret"), [6, `zk: /secret: not permitted; ${other}`])
  })

  it.inChroot("whoami prints the identities, and no secret", function* ({ run }) {
    const { out } = yield* run(["whoami", "--json"], { env: { ZK_AUTH: "digest:ann:secret" } })
    const { identities, session } = document(Output.WhoAmI, out)
    assert.deepInclude(identities, { scheme: "digest", id: "ann" })
    assert.notStrictEqual(session, 0n)
    assert.notInclude(out, "secret")
    assert.include((yield* run(["whoami"])).out, "127.0.0.1")
  })

  it.inChroot("ephemerals prints those of all sessions", function* ({ another, run, zk }) {
    const other = yield* another()
    yield* zk.create("/p")
    yield* zk.create("/p/a", { mode: "ephemeral" })
    yield* other.create("/p/b", { mode: "ephemeral" })
    const id = (client: typeof zk) => Output.formatHex(client.session.id)
    assert.strictEqual(
      (yield* run(["ephemerals", "/p"])).out,
      `${id(zk).padEnd(18)}  /p/a\n${id(other).padEnd(18)}  /p/b\n`
    )
    const only = yield* run(["ephemerals", "/p", "--owner", id(other), "--ndjson"])
    assert.deepStrictEqual(
      items(Output.Znode, only.out).map(({ path }) => path),
      ["/p/b"]
    )
    assert.strictEqual((yield* run(["ephemerals", "/none"])).code, 3)
  })

  it.inChroot("config prints the version and the members", function* ({ run, zk }) {
    const config = yield* zk.getConfig
    const json = document(Output.Config, (yield* run(["config", "--json"])).out)
    assert.strictEqual(json.version, config.version)
    assert.strictEqual(json.members.length, config.members.length)
    assert.include((yield* run(["config"])).out, `version  ${Output.formatHex(config.version)}\n`)
  })
})

describeOnServers("zk quota", (it) => {
  it.inChroot("prints limits and use, from below a chroot too", function* ({ another, chroot, run, servers, zk }) {
    yield* zk.create("/app")
    const none = yield* run(["quota", "/app"])
    assert.deepStrictEqual({ code: none.code, err: none.err }, { code: 3, err: "zk: /app has no quota\n" })
    const root = yield* another({ chroot: "/" })
    const quota = `/zookeeper/quota${chroot}/app`
    yield* root.createWithParents(`${quota}/zookeeper_limits`, {
      data: "count=9,bytes=-1=;byteHardLimit=-1;countHardLimit=20"
    })
    yield* root.create(`${quota}/zookeeper_stats`, { data: "count=1,bytes=0" })
    yield* zk.create("/app/a", { data: "1234" })
    const value = document(Output.Quota, (yield* run(["quota", "/app", "--json"])).out)
    assert.deepStrictEqual(value, {
      path: "/app",
      limits: { count: 9, hardCount: 20 },
      use: { count: 2, bytes: 4 }
    })
    const text = (yield* run(["quota", `${chroot}/app`], { env: { ZK_SERVERS: servers } })).out
    assert.match(text, /\nznodes +2 +9 +20\nbytes +4 +- +-\n$/)
  })
})
