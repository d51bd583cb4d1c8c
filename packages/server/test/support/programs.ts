/**
 * Random programs for a server: what several sessions ask of it, drawn from a seed.
 *
 * A step is the same bytes for every server that it is sent to. Left out is what cannot be compared or breaks a real
 * server, see the test that runs them.
 */
import { encodeRequest } from "@effect-zookeeper/test-kit/RequestFrames"
import * as Base64 from "effect/encoding/Base64"
import * as CreateMode from "@effect-zookeeper/protocol/CreateMode"
import type * as Operation from "@effect-zookeeper/protocol/Operation"
import * as Operations from "@effect-zookeeper/protocol/Operations"
import { fractions } from "@effect-zookeeper/test-kit/fuzz/Mutation"
import type { RequestedAcl } from "../../src/internal/state/AccessControl.ts"
import type { Version } from "../../src/internal/state/Release.ts"
import * as Crypto from "node:crypto"

export type Step =
  /** A request of a session, as the body of a frame. */
  | {
      readonly _tag: "Request"
      readonly session: number
      readonly row: Operation.Any
      readonly bytes: Uint8Array
      readonly text: string
    }
  /** The connection of a session is cut, or taken over, and another one resumes it. */
  | {
      readonly _tag: "Reconnect"
      readonly session: number
      readonly timeOut: number
      readonly lastZxidSeen: bigint
      readonly how: "well" | "takingOver" | "wrongPassword" | "asBefore34"
    }

interface Random {
  /** An integer from 0 up to a limit, which it does not reach. */
  readonly below: (limit: number) => number
  readonly chance: (probability: number) => boolean
  readonly pick: <A>(from: ReadonlyArray<A>) => A
}

export const seeded = (seed: number): Random => {
  const next = fractions(Math.imul(seed, 0x9e3779b1))
  const below = (limit: number) => Math.floor(next() * limit)
  return { below, chance: (probability) => next() < probability, pick: (from) => from[below(from.length)]! }
}

const digest = (user: string, password: string): string =>
  `${user}:${Base64.encode(Crypto.createHash("sha1").update(`${user}:${password}`).digest())}`

const users = [
  { name: "bob", password: "secret" },
  { name: "alice", password: "pw" }
]

const open: ReadonlyArray<RequestedAcl> = [{ perms: 31, scheme: "world", id: "anyone" }]

const oddIds: ReadonlyArray<readonly [scheme: string | null, ids: ReadonlyArray<string | null>]> = [
  ["world", ["somebody", null]],
  ["digest", ["bob", "a:b:c", "a:", ":a", "a:b:", ":", "", null]],
  ["ip", ["127.0.0.1/33", "localhost", "1.2.3", "::1", "127.0.0.1/", "256.0.0.1", null]],
  ["super", [""]],
  ["sasl", ["bob"]],
  ["x509", ["CN=bob"]],
  ["nosuch", ["x", null]],
  [null, ["x"]],
  ["", [""]]
]

const oddEntries: ReadonlyArray<RequestedAcl> = oddIds.flatMap(([scheme, ids]) =>
  ids.map((id) => ({ perms: 31, scheme, id }))
)

/** Steps of `count` over `sessions`, below a root of their own. */
export class Program {
  readonly root: string
  private readonly random: Random
  private readonly sessions: number
  private xid = 0
  private zxid = 0n

  /** Whether the root has a quota, whose count is looked at again and again. */
  private readonly counted: boolean

  /** The kinds of watches that are removed, known and unknown ones. */
  private readonly watchTypes: ReadonlyArray<number>

  constructor(seed: number, sessions: number, version: Version = "3.8") {
    this.root = `/p${seed}`
    this.watchTypes = version === "3.8" ? [1, 2, 3, 1, 2, 3, 0, 4] : [1, 2, 3, 4, 5, 1, 2, 3, 4, 5, 0, 6]
    this.random = seeded(seed)
    this.sessions = sessions
    this.counted = seed % 4 === 0
  }

  /** The first step: the root, open to all. */
  begin(): Step {
    return this.request(0, Operations.create, { path: this.root, data: null, acl: open, flags: 0 })
  }

  /** `zxid`: the last one that a server has answered with. */
  next(zxid: bigint): Step {
    const { random } = this
    this.zxid = zxid
    const session = random.below(this.sessions)
    if (random.chance(0.02)) {
      return {
        _tag: "Reconnect",
        session,
        timeOut: random.pick([30_000, 40_000, 1_000_000_000]),
        lastZxidSeen: zxid + random.pick([0n, 0n, -1n, 1n, 1000n]),
        how: random.pick(["well", "well", "takingOver", "wrongPassword", "asBefore34"])
      }
    }
    const step = this.draw(session)
    // Now and then a body that ends too early.
    if (step._tag === "Request" && random.chance(0.015) && step.bytes.length > 8) {
      const bytes = step.bytes.slice(0, 8 + random.below(step.bytes.length - 8))
      return { ...step, bytes, text: `${step.text} cut to ${bytes.length - 8} bytes` }
    }
    return step
  }

  private draw(session: number): Step {
    const { random } = this
    if (this.counted && random.chance(0.1)) return this.quota(session)
    const path = this.path()
    const watch = random.chance(0.4)
    const version = this.version()
    const ask =
      <O extends Operation.Any>(row: O, request: () => Operation.Request<O>) =>
      () =>
        this.request(session, row, request())
    return this.oneOf<Step>([
      [4, ask(Operations.create, () => this.create(path))],
      [1, ask(Operations.create2, () => this.create(path))],
      [1, ask(Operations.createContainer, () => this.createContainer(path))],
      [1, ask(Operations.createTTL, () => this.createTtl(path))],
      [3, ask(Operations.deleteNode, () => ({ path, version }))],
      [3, ask(Operations.setData, () => ({ path, data: this.data(), version }))],
      [1, ask(Operations.setACL, () => ({ path: this.ownPath(), acl: this.acl(), version }))],
      [1, ask(Operations.getACL, () => ({ path }))],
      [2, ask(Operations.exists, () => ({ path, watch }))],
      [2, ask(Operations.getData, () => ({ path, watch }))],
      [1, ask(Operations.getChildren, () => ({ path, watch }))],
      [2, ask(Operations.getChildren2, () => ({ path, watch }))],
      [1, ask(Operations.getAllChildrenNumber, () => ({ path }))],
      [1, ask(Operations.getEphemerals, () => ({ prefixPath: this.prefixPath(path) }))],
      [1, () => this.syncOrWhoAmI(session, path)],
      [2, ask(Operations.addWatch, () => ({ path, mode: random.pick([0, 0, 0, 1, 1, 1, 2, -1]) }))],
      [1, () => this.removeWatches(session, path)],
      [1, () => this.setWatches(session)],
      [3, ask(Operations.multi, () => this.multi())],
      [1, ask(Operations.multiRead, () => this.multiRead())],
      [3, () => this.rare(session)]
    ])
  }

  private rare(session: number): Step {
    const { random } = this
    const authenticate = (scheme: string, auth: Uint8Array | null, type = 0) =>
      this.request(session, Operations.auth, { type, scheme, auth })
    const text = (value: string) => this.text(value)
    return this.oneOf<Step>([
      [1, () => this.request(session, Operations.closeSession, undefined)],
      [1, () => this.reconfig(session)],
      [1, () => this.request(session, Operations.sasl, { token: random.pick([new Uint8Array(0), new Uint8Array(4)]) })],
      [1, () => authenticate(random.pick(["nosuch", "world", "auth", "super", "sasl", "ip"]), text("bob:secret"))],
      [1, () => authenticate("digest", random.pick([null, text("nobody"), text(""), text(":"), text("a:b:c")]))],
      [1, () => authenticate("digest", text("super:secret"), 7)],
      [2, () => this.authenticate(session)],
      [1, () => this.quota(session)],
      [1, () => this.authenticate(session)]
    ])
  }

  private reconfig(session: number): Step {
    return this.request(session, Operations.reconfig, {
      joiningServers: this.random.pick([null, "server.2=localhost:1:2;3"]),
      leavingServers: null,
      newMembers: null,
      curConfigId: -1n
    })
  }

  private authenticate(session: number): Step {
    const { name, password } = this.random.pick(users)
    return this.request(session, Operations.auth, { type: 0, scheme: "digest", auth: this.text(`${name}:${password}`) })
  }

  /** A quota on the root, its limits or its count, made or taken away. */
  private quota(session: number): Step {
    const { random, root } = this
    const folder = `/zookeeper/quota${root}`
    const file = `${folder}/${random.pick(["zookeeper_limits", "zookeeper_stats"])}`
    const data = this.text(`count=${random.pick([3, 1000])},bytes=${random.pick([-1, 40])}=;countHardLimit=4`)
    const node = (path: string) => ({ path, data, acl: open, flags: 0 })
    return random.pick([
      () => this.request(session, Operations.create, node(folder)),
      () => this.request(session, Operations.create, node(file)),
      () => this.request(session, Operations.create, node(file)),
      () => this.request(session, Operations.getData, { path: file, watch: true }),
      () => this.request(session, Operations.getData, { path: file, watch: false }),
      () => this.request(session, Operations.deleteNode, { path: file, version: -1 })
    ])()
  }

  /** One of these, each as often as its weight says. */
  private oneOf<A>(weighted: ReadonlyArray<readonly [weight: number, make: () => A]>): A {
    return this.random.pick(weighted.flatMap(([weight, make]) => Array.from({ length: weight }, () => make)))()
  }

  // ---------------------------------------------------------------------------
  // arguments
  // ---------------------------------------------------------------------------

  /** Below the root, and deep enough that parents and children meet. */
  private ownPath(): string {
    const { random } = this
    const names = ["a", "b", "c", "s-0000000000", "s-0000000001", "z\u00e4"]
    let path = this.root
    for (let depth = random.below(4); depth > 0; depth--) path += `/${random.pick(names)}`
    return path
  }

  private path(): string {
    const { random, root } = this
    if (random.chance(0.9)) return this.ownPath()
    return random.pick([
      "/",
      "",
      "a",
      "//",
      "/zookeeper",
      "/zookeeper/config",
      "/zookeeper/quota",
      "/zookeeper/none/x",
      `${root}/`,
      `${root}//a`,
      `${root}/a/`,
      `${root}/.`,
      `${root}/..`,
      `${root}/a/./b`,
      `${root}/nul\0`,
      `${root}/\u0007`,
      `${root}/\u0085`,
      `${root}/\ufff0`,
      `${root}/\u{1f600}`,
      `${root}/\ue000`,
      `${root}/ok \u00a0%\\~*#...`,
      `${root.slice(1)}/a`,
      `${root.slice(1)}/a`
    ])
  }

  private version(): number {
    return this.random.pick([-1, -1, -1, -1, 0, 0, 1, 2, 3, -2, 2147483647])
  }

  private data(): Uint8Array | null {
    const { random } = this
    return random.chance(0.15) ? null : this.text("x".repeat(random.below(12)))
  }

  private text(value: string): Uint8Array {
    return new TextEncoder().encode(value)
  }

  private acl(): ReadonlyArray<RequestedAcl> | null {
    const { random } = this
    if (random.chance(0.03)) return random.pick([null, []])
    return Array.from({ length: random.pick([1, 1, 1, 2, 3]) }, () => {
      if (random.chance(0.12)) return random.pick(oddEntries)
      const perms = random.pick([31, 31, 31, 31, 1, 2, 4, 8, 16, 0, -1, 64, 7, 24])
      const user = random.pick(users)
      return random.pick<RequestedAcl>([
        { perms: 31, scheme: "world", id: "anyone" },
        { perms, scheme: "world", id: "anyone" },
        { perms, scheme: "digest", id: digest(user.name, user.password) },
        { perms, scheme: "digest", id: `${user.name}:nonsense` },
        { perms, scheme: "auth", id: random.pick(["", "x", null]) },
        { perms, scheme: "ip", id: random.pick(["127.0.0.1", "127.0.0.0/8", "10.0.0.0/8", "0.0.0.0/0", "1.2.3.4"]) }
      ])
    })
  }

  private create(path: string): Operation.Request<typeof Operations.create> {
    const { random } = this
    const flags = random.pick([0, 0, 0, 0, 1, 1, 1, 2, 2, 3, 3, 4, 5, 6, 7, -1])
    return {
      path: flags === 2 || flags === 3 ? `${path}${random.pick(["/s-", "/s-", "/", "-", "/."])}` : path,
      data: this.data(),
      acl: random.chance(0.75) ? open : this.acl(),
      flags
    }
  }

  private createContainer(path: string): Operation.Request<typeof Operations.create> {
    return { ...this.create(path), ...(this.random.chance(0.8) ? { flags: CreateMode.flags.container } : {}) }
  }

  private createTtl(path: string): Operation.Request<typeof Operations.createTTL> {
    const { random } = this
    return {
      ...this.create(path),
      flags: random.pick([5, 6]),
      ttl: random.pick([1_000_000n, 1_099_511_627_775n, 1_099_511_627_776n, 0n, -1n, 3_600_000n])
    }
  }

  private prefixPath(path: string): string | null {
    return this.random.pick([null, "", "/", " / ", this.root, `${this.root}/`, path])
  }

  private syncOrWhoAmI(session: number, path: string): Step {
    return this.random.chance(0.5)
      ? this.request(session, Operations.sync, { path })
      : this.request(session, Operations.whoAmI, undefined)
  }

  private removeWatches(session: number, path: string): Step {
    const row = this.random.pick([Operations.removeWatches, Operations.checkWatches])
    return this.request(session, row, { path, type: this.random.pick(this.watchTypes) })
  }

  private setWatches(session: number): Step {
    const { random } = this
    const paths = () => Array.from({ length: random.below(4) }, () => this.path())
    const watches = {
      relativeZxid: this.zxid - random.pick([0n, 0n, 1n, 3n, 10n, 30n, -1000n]),
      dataWatches: paths(),
      existWatches: paths(),
      childWatches: paths()
    }
    return random.chance(0.5)
      ? this.request(session, Operations.setWatches, watches)
      : this.request(session, Operations.setWatches2, {
          ...watches,
          persistentWatches: paths(),
          persistentRecursiveWatches: paths()
        })
  }

  private multi(): ReadonlyArray<Operations.MultiOp> {
    const { random } = this
    return Array.from({ length: random.pick([0, 1, 2, 2, 3, 3, 4, 5]) }, (): Operations.MultiOp => {
      const path = this.path()
      const version = () => this.version()
      const rare = random.chance(0.03) ? 1 : 0
      return this.oneOf<Operations.MultiOp>([
        [3, () => ({ operation: "create", request: this.create(path) })],
        [1, () => ({ operation: "create2", request: this.create(path) })],
        [1, () => ({ operation: "createContainer", request: { ...this.create(path), flags: 4 } })],
        [1, () => ({ operation: "createTTL", request: this.createTtl(path) })],
        [2, () => ({ operation: "delete", request: { path, version: version() } })],
        [2, () => ({ operation: "setData", request: { path, data: this.data(), version: version() } })],
        [1, () => ({ operation: "check", request: { path, version: version() } })],
        [rare, () => ({ operation: "getData", request: { path, watch: true } })],
        [rare, () => ({ operation: "getChildren", request: { path, watch: false } })]
      ])
    })
  }

  private multiRead(): ReadonlyArray<Operations.MultiOp> {
    const { random } = this
    if (random.chance(0.05)) return this.multi()
    return Array.from({ length: random.below(4) }, (): Operations.MultiOp => {
      const request = { path: this.path(), watch: random.chance(0.5) }
      return random.chance(0.5) ? { operation: "getData", request } : { operation: "getChildren", request }
    })
  }

  private request<O extends Operation.Any>(session: number, row: O, request: Operation.Request<O>): Step {
    this.xid++
    return {
      _tag: "Request",
      session,
      row,
      bytes: encodeRequest(row, request, this.xid),
      text: `${row.name} ${JSON.stringify(request, show) ?? ""}`
    }
  }
}

const show = (_: string, value: unknown): unknown =>
  typeof value === "bigint" ? `${value}n` : value instanceof Uint8Array ? Buffer.from(value).toString("latin1") : value
