/** Random histories on a real server, and the tree that it shows. */
import { Acl, Op, ZooKeeper } from "@effect-zookeeper/client"
import type { Stat } from "@effect-zookeeper/client/ZooKeeper"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Random from "effect/Random"
import * as Redacted from "effect/Redacted"
import * as Scope from "effect/Scope"
import * as Exit from "effect/Exit"
import * as Context from "effect/Context"
import type { Tree } from "../../src/Tree.ts"
import { statOf } from "../../src/Znode.ts"

/** A client in a Scope of its own, which ends its session. */
const openClient = (servers: string) =>
  Effect.gen(function* () {
    const scope = yield* Scope.make()
    const context = yield* Layer.buildWithScope(ZooKeeper.layer({ servers, sessionTimeout: "40 seconds" }), scope)
    return { zk: Context.get(context, ZooKeeper.ZooKeeper), close: Scope.close(scope, Exit.void) }
  })

const names = ["a", "b", "c", "ä", "日本", "d-e", "Ω", "long-".repeat(20)]

const acls = [
  Acl.open,
  Acl.readOnly,
  [{ perms: 31, scheme: "ip", id: "127.0.0.1" }],
  [
    { perms: 31, scheme: "world", id: "anyone" },
    { perms: 3, scheme: "digest", id: "bob:lK75jTNcA+U9vtVEw5vB51mj/w4=" }
  ]
]

/** Runs operations of every type; those that fail are a part of the history. Sessions end in between, and at the end only some. */
export const randomHistory = (servers: string, operations: number, onStep: (done: number) => void = () => {}) =>
  Effect.gen(function* () {
    const scope = yield* Effect.scope
    let clients = [yield* openClient(servers), yield* openClient(servers)]
    yield* Scope.addFinalizer(
      scope,
      Effect.suspend(() => Effect.forEach(clients, ({ close }) => close, { concurrency: "unbounded", discard: true }))
    )
    const paths = ["/"]
    const pick = <A>(values: ReadonlyArray<A>) =>
      Effect.map(Random.nextIntBetween(0, values.length - 1), (at) => values[at]!)
    const pathBelow = Effect.gen(function* () {
      const parent = yield* pick(paths)
      return `${parent === "/" ? "" : parent}/${yield* pick(names)}`
    })
    const data = Effect.gen(function* () {
      const isLarge = (yield* Random.nextIntBetween(0, 100)) === 0
      const size = isLarge ? 1_000_000 : yield* pick([0, 1, 10, 100, 1000, 20_000])
      return new Uint8Array(size).fill(yield* Random.nextIntBetween(0, 255))
    })
    // Half of them are new: a snapshot that is being written has them in no table.
    const acl = Effect.gen(function* () {
      const known = yield* pick(acls)
      const number = yield* Random.nextIntBetween(0, 0x1ffffff)
      if (number > 0xffffff) return known
      const id = `10.${number >> 16}.${(number >> 8) & 255}.${number & 255}`
      return [...known, { perms: Acl.Perms.READ, scheme: "ip", id }]
    })
    const remember = (path: string) => {
      if (paths.length < 300) paths.push(path)
    }
    const create = Effect.gen(function* () {
      const mode = yield* pick([
        "persistent",
        "persistent",
        "persistent",
        "ephemeral",
        "persistentSequential",
        "ephemeralSequential",
        "container",
        "persistentWithTtl",
        "persistentSequentialWithTtl"
      ] as const)
      const ttl = mode.endsWith("Ttl") ? { ttl: yield* pick(["1 hour", "300 millis"] as const) } : {}
      return { path: yield* pathBelow, options: { mode, data: yield* data, acl: yield* acl, ...ttl } }
    })
    const write = Effect.gen(function* () {
      const path = yield* pick(paths)
      switch (yield* Random.nextIntBetween(0, 3)) {
        case 0: {
          const made = yield* create
          return Op.create(made.path, made.options)
        }
        case 1:
          return Op.delete(path)
        case 2:
          return Op.setData(path, yield* data)
        default:
          return Op.check(path, yield* pick([-1, 0, 1]))
      }
    })
    const step = Effect.gen(function* () {
      const { zk } = yield* pick(clients)
      const path = yield* pick(paths)
      switch (yield* Random.nextIntBetween(0, 9)) {
        case 0:
        case 1:
        case 2: {
          const made = yield* create
          remember(yield* zk.create(made.path, made.options))
          return
        }
        case 3: {
          const made = yield* create
          remember((yield* zk.createWithStat(made.path, made.options)).path)
          return
        }
        case 4:
          yield* zk.delete(path)
          return
        case 5:
        case 6:
          yield* zk.setData(path, yield* data)
          return
        case 7:
          yield* zk.setAcl(path === "/" ? "/a" : path, yield* acl)
          return
        case 8:
          yield* zk.transaction([yield* write, yield* write])
          return
        default:
          yield* zk.transaction([yield* write, yield* write, yield* write])
      }
    })
    for (let done = 0; done < operations; done++) {
      onStep(done)
      yield* Effect.ignore(step)
      if (done % 150 === 149) {
        const [oldest, ...others] = clients
        yield* oldest!.close
        clients = [...others, yield* openClient(servers)]
      }
    }
  })

/** A znode with everything that a client sees. */
export interface Shown {
  readonly stat: Stat
  readonly data: string
  readonly acl: ReadonlyArray<Acl.Acl>
  readonly children: ReadonlyArray<string>
}

/** Every znode that a server shows, by its path. */
const shownTree = (zk: ZooKeeper.Service) =>
  Effect.gen(function* () {
    const shown = new Map<string, Shown>()
    const left = ["/"]
    for (let path = left.pop(); path !== undefined; path = left.pop()) {
      const { data, stat } = yield* zk.get(path)
      const children = (yield* zk.getChildren(path)).toSorted()
      const { acl } = yield* zk.getAcl(path)
      shown.set(path, { stat: { ...stat }, data: hashOf(data), acl, children })
      for (const child of children) left.push(path === "/" ? `/${child}` : `${path}/${child}`)
    }
    return shown
  })

export const shownToSuperUser = (servers: string) =>
  Effect.gen(function* () {
    const zk = yield* ZooKeeper.ZooKeeper
    yield* zk.addAuth("digest", Redacted.make("super:secret"))
    return yield* shownTree(zk)
  }).pipe(Effect.provide(ZooKeeper.layer({ servers })))

/** The same of a tree from files. */
export const filedTree = (tree: Tree): Map<string, Shown> => {
  const filed = new Map<string, Shown>()
  for (const znode of tree.entries()) {
    const children = [...tree.children(znode.path)].toSorted()
    const data = hashOf(znode.data ?? new Uint8Array(0))
    filed.set(znode.path, { stat: statOf(znode, children.length), data, acl: znode.acl, children })
  }
  return filed
}

const hashOf = (data: Uint8Array): string =>
  data.length < 40 ? Buffer.from(data).toString("hex") : `${data.length} bytes of ${data[0]}, ${data.at(-1)}`
