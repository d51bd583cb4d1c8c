/**
 * The registry of watches against a simulated server, message by message: whatever is watched, dropped, changed and
 * reconnected in whatever order, each watch hears what it must, once, and the server keeps no watch without a listener.
 */
import { choices } from "@effect-zookeeper/test-kit/fuzz/Mutation"
import { assert, describe, it } from "@effect/vitest"
import * as ZnodePath from "@effect-zookeeper/protocol/ZnodePath"
import type { WatchEventType } from "@effect-zookeeper/protocol/WatchEvent"
import * as Effect from "effect/Effect"
import type * as Fiber from "effect/Fiber"
import type { ServerWatchMode } from "../../src/internal/watches/PathWatches.ts"
import type { OneShotWatch } from "../../src/internal/watches/OneShotWatch.ts"
import { type RemoveType, WatchRegistry } from "../../src/internal/watches/WatchRegistry.ts"
import type { PersistentWatchListener } from "../../src/Session.ts"

type Mode = "standard" | "persistent" | "recursive"

/** The watches of one client by their paths. */
class WatchTable {
  private readonly byPath = new Map<string, Set<Mode>>()
  private readonly sideBySide: boolean

  constructor(sideBySide: boolean) {
    this.sideBySide = sideBySide
  }

  set(path: string, mode: Mode): void {
    const modes = this.byPath.get(path)
    if (modes !== undefined && this.sideBySide) modes.add(mode)
    else this.byPath.set(path, new Set([mode]))
  }

  /** All modes, unless one is named; a server that keeps one mode for a path knows no names. */
  delete(path: string, mode?: Mode): void {
    const modes = this.byPath.get(path)
    if (mode === undefined || !this.sideBySide) this.byPath.delete(path)
    else if (modes?.delete(mode) === true && modes.size === 0) this.byPath.delete(path)
  }

  has(path: string, mode: Mode): boolean {
    return this.byPath.get(path)?.has(mode) === true
  }

  get paths(): Iterable<string> {
    return this.byPath.keys()
  }
}

/**
 * The watches of one client at a server. Of 3.8: in each of two tables a path has one mode, and the last one wins. Of 3.9: it
 * has all of them side by side, and events have a zxid.
 */
class SimulatedServer {
  readonly release: "3.8" | "3.9"
  readonly nodes = new Map<string, { mzxid: number; pzxid: number }>([["/", { mzxid: 0, pzxid: 0 }]])
  zxid = 0
  data: WatchTable
  child: WatchTable
  /** Every event that any watch could be for, with its place in the order of everything. */
  readonly history: Array<{ readonly type: WatchEventType; readonly path: string }> = []
  emit: (type: WatchEventType, path: string, zxid: bigint) => void = () => {}

  constructor(release: "3.8" | "3.9") {
    this.release = release
    this.data = new WatchTable(release === "3.9")
    this.child = new WatchTable(release === "3.9")
  }

  forgetWatches(): void {
    this.data = new WatchTable(this.release === "3.9")
    this.child = new WatchTable(this.release === "3.9")
  }

  /** The zxid that the server puts into an event. */
  get eventZxid(): bigint {
    return this.release === "3.9" ? BigInt(this.zxid) : -1n
  }

  private trigger(table: WatchTable, type: WatchEventType, path: string): boolean {
    let concerned = table.has(path, "persistent") || table.has(path, "standard")
    if (table.has(path, "standard")) table.delete(path, "standard")
    for (let at: string | undefined = path; at !== undefined; at = ZnodePath.parent(at)) {
      if (table.has(at, "recursive")) concerned ||= type !== "NodeChildrenChanged"
    }
    return concerned
  }

  private fire(type: WatchEventType, path: string, tables: ReadonlyArray<WatchTable>): void {
    this.history.push({ type, path })
    // Both tables are asked, and the client hears of it once.
    const concerned = tables.map((table) => this.trigger(table, type, path))
    if (concerned.includes(true)) this.emit(type, path, this.eventZxid)
  }

  /** Creates, deletes or writes what can be; a node with children is not deleted. */
  mutate(kind: "create" | "delete" | "set", path: string): void {
    const parent = ZnodePath.parent(path) ?? "/"
    const node = this.nodes.get(path)
    const above = this.nodes.get(parent)
    if (kind === "set" && node !== undefined) {
      node.mzxid = ++this.zxid
      this.fire("NodeDataChanged", path, [this.data])
    } else if (kind === "create" && node === undefined && above !== undefined) {
      above.pzxid = ++this.zxid
      this.nodes.set(path, { mzxid: this.zxid, pzxid: this.zxid })
      this.fire("NodeCreated", path, [this.data])
      this.fire("NodeChildrenChanged", parent, [this.child])
    } else if (
      kind === "delete" &&
      node !== undefined &&
      ![...this.nodes.keys()].some((p) => p.startsWith(`${path}/`))
    ) {
      above!.pzxid = ++this.zxid
      this.nodes.delete(path)
      this.fire("NodeDeleted", path, [this.data, this.child])
      this.fire("NodeChildrenChanged", parent, [this.child])
    }
  }

  addWatch(path: string, mode: ServerWatchMode): void {
    this.data.set(path, mode)
    this.child.set(path, mode)
  }

  removeWatches(path: string, type: RemoveType): void {
    if (type === 3) {
      this.data.delete(path)
      this.child.delete(path)
    }
    if (type === 2) this.data.delete(path, "standard")
    if (type === 1) this.child.delete(path, "standard")
    // Unknown to 3.8, which refuses it.
    if (type < 4 || this.release === "3.8") return
    const mode = type === 4 ? "persistent" : "recursive"
    this.data.delete(path, mode)
    this.child.delete(path, mode)
  }
}

/** A one-shot watch of an application, and when the server set it. */
interface OneShot {
  readonly path: string
  readonly kind: "data" | "exists" | "child"
  setAt: number
  readonly fired: Array<string>
  dropped: boolean
  fiber: Fiber.Fiber<unknown, unknown> | undefined
  /** The events that it must have had by the end of an outage: none is owed for the time in between beyond that. */
  caughtUp: string | undefined
}

interface Persistent {
  readonly path: string
  readonly recursive: boolean
  readonly listener: PersistentWatchListener
  heard: Array<string>
  /** Where its history begins: since the server answered, or since the last Gap. */
  since: number | undefined
  gaps: number
  expectedGaps: number
  removed: boolean
}

const paths = ["/a", "/ab", "/a/b", "/a/bc", "/a/b/c", "/a/b/d"]

const concerns = (watch: { readonly path: string; readonly kind: string }, type: WatchEventType, path: string) => {
  if (watch.path !== path) return false
  return watch.kind === "child"
    ? type === "NodeChildrenChanged" || type === "NodeDeleted"
    : type !== "NodeChildrenChanged"
}

const isAtOrBelow = (root: string, path: string) => path === root || path.startsWith(`${root}/`)

/** A client and a server with two queues between them. */
class World {
  readonly server: SimulatedServer
  readonly oneShots: Array<OneShot> = []
  readonly persistents: Array<Persistent> = []
  private up: Array<() => void> = []
  private down: Array<() => void> = []
  private lastZxid = 0
  connected = true
  readonly registry: WatchRegistry

  constructor(release: "3.8" | "3.9") {
    this.server = new SimulatedServer(release)
    this.registry = new WatchRegistry(
      {
        addWatch: (path, mode) =>
          this.send(() => {
            this.server.addWatch(path, mode)
            this.down.push(() => this.registry.confirmMode(path, mode))
          }),
        removeWatches: (path, type) => this.send(() => this.server.removeWatches(path, type))
      },
      (run) => run()
    )
    this.server.emit = (type, path, zxid) => {
      if (this.connected) this.down.push(() => this.registry.dispatch(type, path, zxid))
    }
  }

  private send(work: () => void): void {
    if (this.connected) this.up.push(work)
  }

  /** A read with a watch. */
  watch(path: string, kind: "data" | "exists" | "child"): void {
    if (!this.connected) return
    const { registry, server } = this
    const table = kind === "child" ? "child" : "data"
    registry.readSent(path, table)
    const asked = registry.needsServerWatch(path, table)
    this.send(() => {
      const isThere = server.nodes.has(path)
      const isSet = isThere || kind === "exists"
      if (isSet && asked) server[table].set(path, "standard")
      const setAt = server.history.length
      const zxid = server.zxid
      this.down.push(() => {
        this.lastZxid = zxid
        const actual = !isSet ? undefined : kind === "exists" && isThere ? "data" : kind
        const watch = registry.readAnswered(path, table, isSet && asked, actual)
        if (watch === undefined || actual === undefined) return
        const own: OneShot = {
          path,
          kind: actual,
          setAt,
          fired: [],
          dropped: false,
          fiber: undefined,
          caughtUp: undefined
        }
        this.follow(watch, own)
      })
    })
  }

  private follow(watch: OneShotWatch<unknown>, own: OneShot): void {
    this.oneShots.push(own)
    own.fiber = Effect.runFork(Effect.map(watch, ({ type }) => void own.fired.push(type)))
  }

  /** The owner of a one-shot watch does not wait any more. */
  drop(index: number): void {
    const waiting = this.oneShots.filter(({ dropped, fired }) => !dropped && fired.length === 0)
    const own = waiting[index % Math.max(1, waiting.length)]
    if (own === undefined) return
    own.dropped = true
    own.fiber?.interruptUnsafe()
  }

  add(path: string, recursive: boolean): void {
    if (!this.connected) return
    const own: Persistent = {
      path,
      recursive,
      heard: [],
      since: undefined,
      gaps: 0,
      expectedGaps: 0,
      removed: false,
      listener: {
        onEvent: (event) => {
          if (event.type === "Gap") {
            own.gaps++
            own.heard = []
          } else own.heard.push(`${event.type} ${event.path}`)
        },
        onEnd: () => {}
      }
    }
    this.persistents.push(own)
    this.registry.add(path, recursive, own.listener)
    const mode = this.registry.requestMode(path, recursive)
    this.send(() => {
      this.server.addWatch(path, mode)
      own.since = this.server.history.length
      this.down.push(() => {
        this.registry.confirmMode(path, mode)
        // What came before the answer may have been heard through others; it was not owed.
        own.heard = []
      })
    })
  }

  remove(index: number): void {
    const active = this.persistents.filter(({ removed }) => !removed)
    const own = active[index % Math.max(1, active.length)]
    if (own === undefined) return
    own.removed = true
    this.registry.remove(own.path, own.recursive, own.listener)
  }

  stepUp(): void {
    this.up.shift()?.()
  }

  stepDown(): void {
    this.down.shift()?.()
  }

  drain(): void {
    while (this.up.length + this.down.length > 0) {
      this.stepUp()
      this.stepDown()
    }
  }

  /** The connection goes when all has been said, and comes back after some changes. */
  reconnect(changes: ReadonlyArray<readonly [kind: "create" | "delete" | "set", path: string]>): void {
    this.drain()
    this.check()
    const { registry, server } = this
    this.connected = false
    server.forgetWatches()
    for (const [kind, path] of changes) server.mutate(kind, path)
    this.connected = true
    const lists = registry.beginRestore()
    const events: Array<readonly [WatchEventType, string]> = []
    const catchUp = (path: string, kind: "data" | "exists" | "child"): WatchEventType | undefined => {
      const node = server.nodes.get(path)
      if (kind === "exists") return node === undefined ? undefined : "NodeCreated"
      if (node === undefined) return "NodeDeleted"
      const changed = kind === "data" ? node.mzxid : node.pzxid
      if (changed <= this.lastZxid) return undefined
      return kind === "data" ? "NodeDataChanged" : "NodeChildrenChanged"
    }
    for (const kind of ["data", "exists", "child"] as const) {
      for (const path of lists[kind]) {
        const type = catchUp(path, kind)
        if (type !== undefined) events.push([type, path])
        else (kind === "child" ? server.child : server.data).set(path, "standard")
      }
    }
    for (const path of lists.persistent) server.addWatch(path, "persistent")
    for (const path of lists.recursive) server.addWatch(path, "recursive")
    for (const own of this.oneShots.filter(({ dropped, fired }) => !dropped && fired.length === 0)) {
      own.caughtUp = catchUp(own.path, own.kind)
      own.setAt = server.history.length
    }
    for (const own of this.persistents.filter(({ removed }) => !removed)) {
      own.expectedGaps++
      own.since = server.history.length
    }
    // Events of watches that are registered again have no zxid.
    for (const [type, path] of events) registry.dispatch(type, path, -1n)
    registry.restored()
  }

  /** When all has been said: what each watch has heard is what it had to. */
  check(): void {
    const { history } = this.server
    for (const own of this.oneShots) {
      if (own.dropped) continue
      const event = history.slice(own.setAt).find(({ path, type }) => concerns(own, type, path))
      const expected = own.caughtUp ?? event?.type
      // The end of an outage may tell of a deleted child before it tells that the znode itself is gone.
      const isEarly = own.kind === "child" && own.caughtUp === "NodeDeleted" && own.fired[0] === "NodeChildrenChanged"
      if (isEarly && own.fired.length === 1) continue
      assert.deepStrictEqual(own.fired, expected === undefined ? [] : [expected], `${own.kind} ${own.path}`)
    }
    for (const own of this.persistents) {
      assert.isAtMost(own.gaps, own.expectedGaps)
      if (own.removed) continue
      const expected = history
        .slice(own.since)
        .filter(({ path, type }) =>
          own.recursive ? type !== "NodeChildrenChanged" && isAtOrBelow(own.path, path) : path === own.path
        )
        .map(({ path, type }) => `${type} ${path}`)
      assert.deepStrictEqual(own.heard, expected, `${own.recursive ? "recursive" : "persistent"} ${own.path}`)
      assert.strictEqual(own.gaps, own.expectedGaps)
    }
    // The server keeps no watch without a listener here.
    const needed = new Set<string>()
    for (const own of this.oneShots) if (!own.dropped && own.fired.length === 0) needed.add(own.path)
    for (const own of this.persistents) if (!own.removed) needed.add(own.path)
    for (const path of [...this.server.data.paths, ...this.server.child.paths]) {
      assert.isTrue(needed.has(path), `the server still watches ${path}`)
    }
    const waiting = this.oneShots.filter(({ dropped, fired }) => !dropped && fired.length === 0).length
    assert.strictEqual(this.registry.size, waiting + this.persistents.filter(({ removed }) => !removed).length)
  }
}

describe("whatever is watched, dropped, changed and reconnected", () => {
  for (let block = 0; block < 20; block++) {
    const release = block % 2 === 0 ? "3.8" : "3.9"
    it(`each watch hears what it must, once (${release}, seeds ${block * 100} to ${block * 100 + 99})`, () => {
      for (let seed = block * 100; seed < block * 100 + 100; seed++) {
        const draw = choices(seed)
        const path = () => paths[draw(paths.length)]!
        const kind = () => (["data", "exists", "child"] as const)[draw(3)]!
        const change = () => [(["create", "delete", "set"] as const)[draw(3)]!, path()] as const
        const world = new World(release)
        try {
          for (let step = 0; step < 80; step++) {
            const action = draw(20)
            if (action < 4) world.watch(path(), kind())
            else if (action < 6) world.add(path(), draw(2) === 0)
            else if (action < 7) world.drop(draw(100))
            else if (action < 8) world.remove(draw(100))
            else if (action < 13) world.server.mutate(...change())
            else if (action < 16) world.stepUp()
            else if (action < 19) world.stepDown()
            else if (draw(3) === 0) {
              world.reconnect(Array.from({ length: draw(6) }, change))
              // Twice in a row: the second time no watch may have come or gone.
              if (draw(2) === 0) world.reconnect(Array.from({ length: draw(2) }, change))
            }
          }
          world.drain()
          world.check()
        } catch (error) {
          throw new Error(`seed ${seed}: ${String(error)}`, { cause: error })
        }
      }
    })
  }
})
