/**
 * Everything that reads the data and the names of znodes, which any other program may have written: the configuration of an
 * ensemble, values by a Schema, and the znodes of recipes.
 *
 * Each input goes through a client and a recipe as users have them, on a session that answers with it.
 */
import * as ZooKeeper from "@effect-zookeeper/client/ZooKeeper"
import type * as Operation from "@effect-zookeeper/protocol/Operation"
import type * as Operations from "@effect-zookeeper/protocol/Operations"
import * as ZnodePath from "@effect-zookeeper/protocol/ZnodePath"
import * as AtomicValue from "@effect-zookeeper/recipes/AtomicValue"
import * as Counter from "@effect-zookeeper/recipes/Counter"
import * as Lease from "@effect-zookeeper/recipes/Lease"
import * as Lock from "@effect-zookeeper/recipes/Lock"
import * as PriorityQueue from "@effect-zookeeper/recipes/PriorityQueue"
import * as Queue from "@effect-zookeeper/recipes/Queue"
import * as Semaphore from "@effect-zookeeper/recipes/Semaphore"
import * as ServiceDiscovery from "@effect-zookeeper/recipes/ServiceDiscovery"
import * as Session from "@effect-zookeeper/session/Session"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as References from "effect/References"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import * as Util from "node:util"
import * as ScriptedSession from "../ScriptedSession.ts"
import { must, runTyped, type Target, type Verdict } from "./Fuzz.ts"

const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text)
const ofHex = (hex: string): Uint8Array => Uint8Array.from(Buffer.from(hex, "hex"))
const textOf = (data: Uint8Array): string => new TextDecoder().decode(data)

/**
 * The znodes of a server: every path has this data, until it is written, and every parent these children, which are
 * ephemeral.
 */
interface Znodes {
  readonly dataOf: (path: string) => Uint8Array
  readonly children: ReadonlyArray<string>
}

const answering = ({ children, dataOf }: Znodes): ScriptedSession.Script => {
  const { stat } = ScriptedSession
  const written = new Map<string, Uint8Array>()
  const ephemeral = { ...stat, ephemeralOwner: ScriptedSession.sessionId }
  const read = (path: string) => ({
    data: written.get(path) ?? dataOf(path),
    stat: children.includes(ZnodePath.name(path)) ? ephemeral : stat
  })
  return ({ operation, request }) => {
    const path = request.path ?? ""
    switch (operation) {
      case "getData":
        return Effect.succeed(read(path))
      case "getChildren":
      case "getChildren2":
        return Effect.succeed({ children, stat })
      case "multiRead": {
        const ops = request as Operation.Request<typeof Operations.multiRead>
        return Effect.succeed(
          ops.map(({ operation, request }) => ({ operation, response: read((request as { path: string }).path) }))
        )
      }
      case "setData": {
        written.set(path, request.data ?? new Uint8Array())
        return Effect.succeed({ stat: { ...stat, version: 1, mzxid: 2n } })
      }
      default:
        return Effect.die(new Error(`no answer to ${operation}`))
    }
  }
}

/** The result of a program on such a server; undefined for a refusal, which must be one of those errors. */
const runOn = <A, E extends { readonly _tag: string }>(
  znodes: Znodes,
  errors: ReadonlyArray<E["_tag"]>,
  program: Effect.Effect<A, E, ZooKeeper.ZooKeeper | Scope.Scope>
): A | undefined => {
  const layer = ZooKeeper.layerSession().pipe(
    Layer.provide(Layer.effect(Session.Session, ScriptedSession.make(answering(znodes)))),
    Layer.orDie
  )
  const run = Effect.scoped(Effect.provide(program, layer)).pipe(
    // Values that are left out are logged.
    Effect.provideService(References.MinimumLogLevel, "None")
  )
  return runTyped(run, (error) => errors.includes(error._tag))
}

const holding = (data: Uint8Array, children: ReadonlyArray<string> = []): Znodes => ({ dataOf: () => data, children })

const verdict = (accepted: boolean): Verdict => (accepted ? "accepted" : "refused")

/** A session, a client and a recipe are built for each input. */
const allowance = 4 * 1024 * 1024

/** What reads an input as the data of a znode: a value that passes a check, or `DataInvalid`. */
const reading = <A, E extends { readonly _tag: string }>(
  name: string,
  corpus: ReadonlyArray<Uint8Array>,
  program: Effect.Effect<A, E, ZooKeeper.ZooKeeper | Scope.Scope>,
  check: (found: A, input: Uint8Array) => void,
  children?: ReadonlyArray<string>
): Target => ({
  name,
  allowance,
  corpus,
  run: (input) => {
    const found = runOn(holding(input, children), ["DataInvalid"] as ReadonlyArray<E["_tag"]>, program)
    if (found === undefined) return "refused"
    check(found, input)
    return "accepted"
  }
})

/** A value as it is read, and as it is read again after it was written over itself. */
const twice = <A, E, E2>(value: {
  readonly get: Effect.Effect<A, E>
  readonly set: (value: A) => Effect.Effect<unknown, E2>
}) =>
  Effect.flatMap(value.get, (before) =>
    Effect.map(Effect.andThen(value.set(before), value.get), (after) => ({ before, after }))
  )

// ---- the ensemble

const config: Target = {
  name: "configuration of an ensemble",
  allowance,
  corpus: [
    "server.1=zk1:2888:3888:participant;0.0.0.0:2181\nserver.2=zk2:2888:3888:observer;0.0.0.0:2181\nversion=100000000",
    "server.1=10.0.0.1:2888:3888|10.0.0.2:2888:3888:participant;2181\r\nversion=7fffffffffffffff\r\n",
    "server.12=[2001:db8::3]:2888:3888:participant;[::]:2181\nversion=0",
    "server.255=zk:2888:3888\nweight.255=1\ngroup.1=255:1\nversion=5",
    "version=1ff"
  ].map(utf8),
  run: (input) => {
    const found = runOn(
      holding(input),
      [],
      ZooKeeper.ZooKeeper.use((zk) => zk.getConfig)
    )
    if (found === undefined) return "refused"
    const { members, raw, version } = found
    must(raw === textOf(input), "another text than the servers keep")
    must(version === BigInt.asIntN(64, version), `a version of more than 64 bits: ${version}`)
    for (const { addresses, client, id, role } of members) {
      must(Number.isSafeInteger(id), `a member with the number ${id}`)
      must(addresses.length > 0 && (role === "participant" || role === "observer"), "a member of no kind")
      must(Option.getOrElse(client, () => "2181") !== "", "an address for clients that says nothing")
    }
    // It can be written again, and reads the same.
    const lines = members.map(({ addresses, client, id, role }) => {
      const places = addresses.map((address) => `${address}:${role}`).join("|")
      return `server.${id}=${places}${Option.match(client, { onNone: () => "", onSome: (at) => `;${at}` })}`
    })
    const again = runOn(
      holding(utf8([...lines, `version=${BigInt.asUintN(64, version).toString(16)}`].join("\n"))),
      [],
      ZooKeeper.ZooKeeper.use((zk) => zk.getConfig)
    )
    must(Util.isDeepStrictEqual(again?.members, members) && again?.version === version, "another one when written")
    return verdict(members.length > 0 || version > 0n)
  }
}

// ---- numbers

const mark = "0123456789abcdef"

const counted = {
  curator: ["0000000000000000", "000000000000002a", "ffffffffffffffff", "8000000000000000"].map(ofHex),
  int32: ["00000000", "0000002a", "80000000"].map(ofHex),
  text: ["0", "-42", "9223372036854775807", "+7\n"].map(utf8),
  exact: ["0", `7\n${mark} 1`, `-9\n${mark} 999999999999999\nfedcba9876543210 0\n`].map(utf8)
}

const counters = (["curator", "int32", "text", "exact"] as const).map((layout) =>
  reading(
    `counter as ${layout}`,
    counted[layout],
    Effect.flatMap(Counter.make("/c", { layout }), twice),
    ({ after, before }) => {
      must(before === after, `${before} was written, and read as ${after}`)
      must(BigInt.asIntN(layout === "int32" ? 32 : 64, before) === before, `${before} does not fit`)
    }
  )
)

const floats = reading(
  "counter in floats",
  ["0.0", "-1.5", "1e-300", "1.7976931348623157e308", ".5", "4."].map(utf8),
  Effect.flatMap(Counter.makeFloat("/c"), (counter) => counter.get),
  (found) => must(Number.isFinite(found), `it counts to ${found}`)
)

const permits = reading(
  "number of permits",
  ["00000000", "00000005", "7fffffff"].map(ofHex),
  Effect.flatMap(Semaphore.make("/s", { permits: { at: "/limit", initial: 1 } }), ({ available }) => available),
  (found) => must(Number.isInteger(found) && found < 2 ** 31, `${found} permits`),
  ["lease-0000000001", "other"]
)

// ---- texts

const leases = reading(
  "lease",
  [
    "",
    '{"version":1,"identifier":"","duration":60000,"nonce":"n"}',
    '{"version":1,"identifier":"for long","duration":1e300,"nonce":"n"}',
    '{ "version": 1, "identifier": "host-7 ü", "duration": 1.5, "nonce": "7d7f0a52-0b5b-4c14-9f3a-1d6b6a1c2e3f" }'
  ].map(utf8),
  Effect.flatMap(Lease.make("/l", { duration: 1000, limit: 2 }), ({ holders }) => holders),
  (found) => {
    for (const { remaining } of found) {
      must(Number.isFinite(remaining) && remaining > 0, `it is held for another ${remaining} ms`)
    }
  }
)

const instances: Target = {
  name: "instance of a service",
  allowance,
  judges: true,
  corpus: [
    '{"name":"web","id":"a","payload":{"weight":1,"tags":["x"]}}',
    '{"name":"web","id":"b","address":"10.0.0.7","port":80,"sslPort":null,"payload":{"@class":"a.B","weight":2,"tags":[]},' +
      '"registrationTimeUTC":1789000000000,"serviceType":"DYNAMIC","uriSpec":{"parts":[{"value":"scheme","variable":true}]},' +
      '"enabled":false}'
  ].map(utf8),
  run: (input) => {
    const payload = Schema.Struct({ weight: Schema.Finite, tags: Schema.Array(Schema.String) })
    // An invalid one is left out, and those beside it are not.
    const sound = utf8('{"name":"web","id":"sound","payload":{"weight":1,"tags":[]}}')
    const found = runOn(
      { dataOf: (path) => (path.endsWith("/sound") ? sound : input), children: ["sound", "other"] },
      [],
      Effect.flatMap(ServiceDiscovery.make("/d", { schema: payload }), (discovery) => discovery.instances("web"))
    )
    must(found?.some(({ id }) => id === "sound") === true, "an instance is missing beside a broken one")
    for (const { enabled, id, name, payload, port } of found ?? []) {
      must(typeof name === "string" && typeof id === "string" && typeof enabled === "boolean", "no instance")
      must(port === undefined || Number.isInteger(port), `port ${port}`)
      must(Number.isFinite(payload.weight) && Array.isArray(payload.tags), "no payload")
    }
    return verdict(found?.length === 2)
  }
}

const json = reading(
  "value by a Schema",
  ['{"a":1,"b":["x",null]}', "[]", '"text"', "-0.5e-7", `${"[".repeat(200)}${"]".repeat(200)}`].map(utf8),
  Effect.flatMap(AtomicValue.make("/v", { schema: Schema.Json, initial: null }), twice),
  ({ after, before }) => must(JSON.stringify(before) === JSON.stringify(after), "another one when written")
)

const items = reading(
  "item of a queue of Curator",
  // A version, and for each item a 1, its length and its bytes; a 2 at the end.
  ["00010001010000000002", "000100010100000002686902"].map(ofHex),
  Effect.flatMap(Queue.make("/q"), ({ peek }) => peek),
  (found, input) => {
    const item = Option.getOrUndefined(found)
    must(item !== undefined && Buffer.compare(item, input.subarray(9, -1)) === 0, "another item than was written")
  },
  ["queue-0000000007"]
)

// ---- names

const corpusOfNames = [
  "_c_7d7f0a52-0b5b-4c14-9f3a-1d6b6a1c2e3f-lock-0000000003\n_c_x-lock-0000000001\nother",
  "7d7f0a520b5b4c149f3a1d6b6a1c2e3f__lock__0000000002\nlock-7d7f0a520b5b4c149f3a1d6b6a1c2e3f-0000000009",
  "lock--2147483647\nlock-2147483647\nlock-0000000000",
  "queue-1000000050000000007\nqueue-0FFFFFFFB0000000008\nqueue-0000000001",
  "entry-100-0000000002\nentry-099-0000000003"
].map(utf8)

const namesOf = (input: Uint8Array): ReadonlyArray<string> => textOf(input).split("\n")

const contenders: Target = {
  name: "names of contenders",
  allowance,
  // Not all of them are contenders for a lock.
  judges: true,
  corpus: corpusOfNames,
  run: (input) => {
    const names = namesOf(input)
    const found = runOn(
      holding(new Uint8Array(), names),
      // An invalid name comes with no znode to read.
      ["InvalidArgument"],
      Effect.flatMap(Lock.make("/l"), ({ contenders }) => contenders)
    )
    if (found === undefined) return "refused"
    const paths = new Set(names.map((name) => ZnodePath.join("/l", name)))
    must(
      found.every(({ path }) => paths.has(path)),
      "a contender without a znode"
    )
    return verdict(found.length > 0)
  }
}

const urgent: Target = {
  name: "names of items",
  allowance,
  judges: true,
  corpus: corpusOfNames,
  run: (input) => {
    const names = namesOf(input)
    // The data of each is its name.
    const znodes: Znodes = { dataOf: (path) => utf8(ZnodePath.name(path)), children: names }
    const first = Effect.flatMap(PriorityQueue.make("/q", { layout: "kazoo" }), ({ peek }) => peek)
    const found = runOn(znodes, ["InvalidArgument"], first)
    if (found === undefined || Option.isNone(found)) return "refused"
    const name = textOf(found.value)
    must(names.includes(name), "an item without a znode")
    const priority = Number(/^entry-(\d{3})-/.exec(name)?.[1])
    const others = names.filter(
      (other) => /^entry-\d{3}-/.test(other) && ZnodePath.sequence(other, other.slice(0, 10)) !== undefined
    )
    must(
      others.every((other) => Number(other.slice(6, 9)) >= priority),
      "an item that is less urgent than another"
    )
    return "accepted"
  }
}

/** Everything that reads the contents of znodes. */
export const dataTargets: ReadonlyArray<Target> = [
  config,
  ...counters,
  floats,
  permits,
  leases,
  instances,
  json,
  items,
  contenders,
  urgent
]
