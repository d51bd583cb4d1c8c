/**
 * `npx -y pnpm@12 demo`: two clients at work on a ZooKeeper, told step by step.
 *
 * Alice is written with Effect and Bob with Promises, so this file also shows what either looks like. They work on the
 * embedded server, so that nothing has to be installed. `--real` starts a real server, restarts it in the middle and
 * stops it again; `ZK_SERVERS=host:port` uses one that runs, whose connections stay as they are, and where all that was
 * created is deleted at the end.
 */
import { Op, PromiseClient, ZNode, ZooKeeper } from "@effect-zookeeper/client"
import { format as hex } from "@effect-zookeeper/client/Hex64"
import { type Held, Lock } from "@effect-zookeeper/recipes"
import { recipes } from "@effect-zookeeper/recipes/Promise"
import { EmbeddedServer } from "@effect-zookeeper/server"
import * as ZooKeeperInstall from "@effect-zookeeper/test-kit/ZooKeeperInstall"
import * as ZooKeeperServer from "@effect-zookeeper/test-kit/ZooKeeperServer"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as Clock from "effect/Clock"
import * as Console from "effect/Console"
import * as Context from "effect/Context"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Schedule from "effect/Schedule"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import { randomUUID } from "node:crypto"
import { inspect, styleText } from "node:util"
import { reported } from "./runCommand.ts"

/** The znode that everything here is about: the configuration of a service. */
const ServiceConfig = ZNode.make({
  path: "/config/:service",
  schema: Schema.Struct({ replicas: Schema.Int, owner: Schema.String })
})

const mail = { service: "mail" }

interface Cast {
  readonly alice: ZooKeeper.Service
  readonly bob: PromiseClient.PromiseClient
  /** The next element of Bob's stream. */
  readonly bobSees: Effect.Effect<string, Error>
  /** One more client, for as long as the Scope is open. */
  readonly newcomer: Effect.Effect<PromiseClient.PromiseClient, Error, Scope.Scope>
}

// -----------------------------------------------------------------------------
// the steps
// -----------------------------------------------------------------------------

const connectBoth = Effect.fnUntraced(function* (servers: string) {
  yield* step(
    "Two clients connect",
    "Each gets a session: as long as it lives, ZooKeeper knows that the client is alive."
  )
  const root = `/effect-zookeeper-demo-${randomUUID()}`

  const zk = yield* ZooKeeper.ZooKeeper
  yield* Effect.acquireRelease(zk.ensurePath(root), () => Effect.ignore(zk.deleteAll(root)))
  const alice = yield* zk.withChroot(root)
  yield* say("Alice", `is written with Effect, and has the session ${hex(alice.session.id)}`)

  const newcomer = Effect.map(
    Effect.acquireRelease(
      promised(async (signal) => {
        const zk = await PromiseClient.connect(servers, {}, { signal })
        return { zk, view: await zk.withChroot(root) }
      }),
      ({ zk }) => Effect.promise(() => zk.close())
    ),
    ({ view }) => view
  )
  const bob = yield* newcomer
  yield* say("Bob", `is written with Promises, and has the session ${hex(bob.session.id)}`)

  const changes = bob.znode(ServiceConfig).changes(mail)[Symbol.asyncIterator]()
  const bobSees = Effect.map(
    promised(() => changes.next()),
    ({ value }) =>
      value === undefined ? "that there is none yet" : `${show(value.value)} (version ${value.stat.version})`
  )
  return { alice, bob, bobSees, newcomer } satisfies Cast
})

const typedZnode = Effect.fnUntraced(function* ({ alice, bobSees }: Cast) {
  yield* step(
    "A typed znode, and somebody who watches it",
    "A znode is like a small file: it has a path, data and a version. A Schema says what the data of this one is."
  )
  yield* say("Bob", `watches /config/mail as a stream, and sees ${yield* bobSees}`)
  yield* alice.create("/config")
  const config = ServiceConfig.on(alice)
  yield* config.create(mail, { replicas: 2, owner: "ops" })
  const { stat, value } = yield* config.get(mail)
  yield* say("Alice", `creates it, and reads back ${show(value)} (version ${stat.version})`)
  yield* say("Bob", `sees ${yield* bobSees}`)
  const refused = yield* refusal(config.set(mail, { replicas: 2.5, owner: "ops" }))
  yield* say("Alice", `cannot write half a replica: ${refused._tag}, before a byte is sent`)
})

const compareAndSet = Effect.fnUntraced(function* ({ alice, bob, bobSees }: Cast) {
  yield* step(
    "An update by compare-and-set",
    "A write can name the version that it is based on: if another client was faster, its write is not lost."
  )
  const config = ServiceConfig.on(alice)
  const { stat } = yield* config.get(mail)
  yield* say("Alice", `has read version ${stat.version}, and thinks about it`)
  const written = yield* promised(() =>
    bob.znode(ServiceConfig).update(mail, (value) => ({ ...value, replicas: value.replicas + 1 }))
  )
  yield* say("Bob", `is faster, and writes ${show(written.value)} (version ${written.stat.version})`)
  yield* say("Bob", `sees ${yield* bobSees}`)
  const refused = yield* refusal(config.set(mail, { replicas: 9, owner: "Alice" }, stat.version))
  yield* say("Alice", `writes what fits version ${stat.version}: the server refuses it with ${refused._tag}`)
  const updated = yield* config.update(mail, (value) => ({ ...value, owner: "Alice" }))
  yield* say("Alice", `asks for an update, which reads again first: ${show(updated.value)}`)
  yield* say("Bob", `sees ${yield* bobSees}`)
})

const ephemeral = Effect.fnUntraced(function* ({ alice, bob, newcomer }: Cast) {
  yield* step(
    "An ephemeral znode",
    "It lives as long as the session that made it. This is how a group knows its members."
  )
  yield* promised(() => bob.create("/workers"))
  const gone = yield* Effect.scoped(
    Effect.gen(function* () {
      const worker = yield* newcomer
      yield* promised(() => worker.create("/workers/carol", { mode: "ephemeral" }))
      yield* say("Carol", `joins with a session of her own, ${hex(worker.session.id)}, and the znode /workers/carol`)
      yield* say("Alice", `lists the workers: ${show(yield* alice.getChildren("/workers"))}`)
      const { changed } = yield* alice.existsAndWatch("/workers/carol")
      yield* say("Carol", "closes her session, and deletes nothing")
      return changed
    })
  )
  const event = yield* gone
  yield* say(
    "Alice",
    `is told ${event.type} ${event.path}, and lists the workers: ${show(yield* alice.getChildren("/workers"))}`
  )
})

const transaction = Effect.fnUntraced(function* ({ alice, bob }: Cast) {
  yield* step(
    "A transaction",
    "All of its operations are applied, or none. When it fails, it says which one was to blame."
  )
  const operations = [
    Op.create("/config/web", { data: "{}" }),
    Op.check("/config/mail", 0),
    Op.delete("/workers")
  ] as const
  const failed = yield* refusal(alice.transaction(operations))
  if (failed._tag !== "TransactionFailed") return yield* failed
  const operation = operations[failed.index]
  yield* say(
    "Alice",
    "asks for three at once: create /config/web, check that /config/mail has version 0, delete /workers"
  )
  yield* say(
    "Alice",
    `gets ${failed._tag}: operation ${failed.index + 1} failed, the ${operation?._tag} of ${operation?.path}, with ${failed.error._tag}`
  )
  const [web, workers] = yield* promised(() => bob.read([Op.get("/config/web"), Op.get("/workers")]))
  yield* say(
    "Bob",
    `looks: /config/web ${web.ok ? "is there" : "was not created"}, /workers ${workers.ok ? "is still there" : "is gone"}`
  )
})

const lock = Effect.fnUntraced(function* ({ alice, bob }: Cast) {
  yield* step(
    "A lock, lost by its holder",
    "The guarded effect is stopped when the lock is lost, and later writes of its former holder are refused."
  )
  const { contenders, withLock } = yield* Effect.provideService(Lock.make("/lock"), ZooKeeper.ZooKeeper, alice)
  const acquired = yield* Deferred.make<Held>()
  const work = yield* withLock((held) =>
    Deferred.succeed(acquired, held).pipe(
      Effect.andThen(Effect.never),
      Effect.onInterrupt(() => say("Alice", "is interrupted: she holds it no longer"))
    )
  ).pipe(refusal, Effect.forkChild)
  const held = yield* Deferred.await(acquired)
  yield* say("Alice", "holds the lock, and works")
  const turn = yield* Effect.forkChild(
    promised(() =>
      recipes(bob)
        .lock("/lock")
        .withLock(({ fencingToken }) => fencingToken > held.fencingToken)
    )
  )
  yield* Effect.repeat(contenders, { until: (all) => all.length === 2, schedule: Schedule.spaced("10 millis") })
  yield* say("Bob", "waits for it")
  yield* say("Server", "is told by an operator to delete the znode that stands for Alice's lock")
  yield* promised(() => bob.delete(held.path))
  const lost = yield* Fiber.join(work)
  yield* say("Alice", `is told ${lost._tag}: ${lost.message}`)
  yield* say("Bob", `has it, with a ${(yield* Fiber.join(turn)) ? "larger" : "smaller"} token`)
  const refused = yield* refusal(held.transaction([Op.create("/late")]))
  yield* say("Alice", `writes nevertheless, by the lock that she had: the server refuses it with ${refused._tag}`)
})

/** How all connections are lost at once: the text of the step depends on the server. */
interface Interruption {
  readonly title: string
  /** Breaks the connections. */
  readonly begin: Effect.Effect<void, Error>
  readonly begun: string
  /** Lets the clients in again. */
  readonly end: Effect.Effect<void, Error>
  readonly ended: string
}

const lostConnections = Effect.fnUntraced(function* (
  { alice, bob, bobSees }: Cast,
  { begin, begun, end, ended, title }: Interruption
) {
  yield* step(title, "Sessions, watches and streams go on when the client is back in time.")
  const before = { alice: alice.session.id, bob: bob.session.id }
  // Both are listened to before it happens: with a server in this process it may be over in an instant.
  const noticed = yield* Effect.forkChild(
    Effect.all(
      [
        Stream.runDrain(Stream.takeUntil(alice.session.states, ({ _tag }) => _tag === "Disconnected")),
        promised(async () => {
          for await (const state of bob.session.states) if (state._tag === "Disconnected") return
        })
      ],
      { concurrency: 2 }
    ),
    { startImmediately: true }
  )
  yield* begin
  yield* Fiber.join(noticed)
  yield* say("Server", begun)
  const reading = yield* Effect.forkChild(promised(() => bob.znode(ServiceConfig).get(mail)))
  yield* say("Bob", "reads nevertheless: his request waits")
  yield* end
  yield* say("Server", ended)
  yield* say("Bob", `has his answer: ${show((yield* Fiber.join(reading)).value)}`)
  yield* ServiceConfig.on(alice).update(mail, (value) => ({ ...value, replicas: 5 }))
  yield* say("Alice", `writes again, and ${stays(before.alice, alice.session.id)}`)
  yield* say("Bob", `sees ${yield* bobSees}, and ${stays(before.bob, bob.session.id)}`)
})

// -----------------------------------------------------------------------------
// the stage
// -----------------------------------------------------------------------------

/** The server of the demo. */
interface Stage {
  readonly servers: string
  /** Absent if the connections may not be broken. */
  readonly interruption: Interruption | undefined
  /** The state of everything, after the last word. */
  readonly end: string
}

const embedded = Effect.gen(function* () {
  yield* headline("two clients at work on a ZooKeeper in this process")
  const running = yield* Layer.build(EmbeddedServer.layer())
  const server = Context.get(running, EmbeddedServer.EmbeddedServer)
  yield* Console.log(
    `The embedded server listens on ${server.connectString}, speaks the real protocol, and keeps nothing.`
  )
  yield* Console.log(
    styleText("dim", "On a real server of its own: `npx -y pnpm@12 demo --real`; on yours: ZK_SERVERS=host:port.")
  )
  return {
    servers: server.connectString,
    interruption: {
      title: "The server ends all connections in the middle of the work",
      begin: Effect.andThen(server.disconnectAll, server.pause),
      begun: "ends all connections, and answers no client for now; both clients notice, and look for it",
      end: server.resume,
      ended: "answers again"
    },
    end: "the server and all that it held are gone"
  } satisfies Stage
})

const real = Effect.gen(function* () {
  const install = yield* ZooKeeperInstall.findOrInstall
  yield* headline("two clients at work on a real ZooKeeper")
  yield* Console.log(`Starting a ZooKeeper server of our own (${install.source}) ...`)
  const server = yield* ZooKeeperServer.make()
  yield* Console.log(`It listens on ${server.connectString}, and keeps its data in a temporary folder.`)
  return {
    servers: server.connectString,
    interruption: {
      title: "The server is restarted in the middle of the work",
      begin: server.stop,
      begun: "stops; both clients notice, and look for it",
      end: server.start,
      ended: "is back"
    },
    end: "the server is stopped and its data removed"
  } satisfies Stage
})

const given = Effect.fnUntraced(function* (servers: string) {
  yield* headline("two clients at work on your ZooKeeper")
  yield* Console.log(`Using the server at ${servers}, as ZK_SERVERS says.`)
  return { servers, interruption: undefined, end: "the demo's znodes are deleted" } satisfies Stage
})

const play = Effect.fnUntraced(function* ({ interruption, servers }: Stage) {
  const cast = yield* connectBoth(servers)
  yield* typedZnode(cast)
  yield* compareAndSet(cast)
  yield* ephemeral(cast)
  yield* transaction(cast)
  yield* lock(cast)
  if (interruption !== undefined) return yield* lostConnections(cast, interruption)
  yield* step("Connections are lost in the middle of the work", "Sessions, watches and streams would go on.")
  yield* say("Server", "skipped: the connections of the server of ZK_SERVERS are not ours to break")
}, Effect.scoped)

const program = Effect.gen(function* () {
  const started = yield* Clock.currentTimeMillis
  const servers = process.env["ZK_SERVERS"] ?? ""
  // pnpm hands a "--" on.
  const args = process.argv.slice(2).filter((arg) => arg !== "--")
  if (args.some((arg) => arg !== "--real") || (args.length > 0 && servers !== "")) {
    return yield* Effect.fail(new Error("usage: demo [--real], or ZK_SERVERS=host:port demo"))
  }
  const end = yield* Effect.scoped(
    Effect.gen(function* () {
      const stage = yield* servers !== "" ? given(servers) : args.length > 0 ? real : embedded
      yield* Effect.provide(play(stage), ZooKeeper.layer({ servers: stage.servers }))
      return stage.end
    })
  )
  const seconds = ((yield* Clock.currentTimeMillis) - started) / 1000
  yield* Console.log(
    styleText("bold", `\nDone in ${seconds.toFixed(1)} seconds: all sessions are closed, and ${end}.\n`)
  )
})

const headline = (what: string) => Console.log(styleText("bold", `\neffect-zookeeper: ${what}\n`))

// ---- internal: what is told, and how

let steps = 0

const step = (title: string, explanation: string) =>
  Effect.suspend(() =>
    Console.log(`\n${styleText(["bold", "cyan"], `${++steps}. ${title}`)}\n   ${styleText("dim", explanation)}`)
  )

const say = (who: "Alice" | "Bob" | "Carol" | "Server", what: string) =>
  Console.log(`   ${styleText(colors[who], who.padEnd(6))} ${what}`)

const colors = { Alice: "green", Bob: "yellow", Carol: "magenta", Server: "blue" } as const

const show = (value: unknown): string => inspect(value, { breakLength: Number.POSITIVE_INFINITY })

const stays = (before: bigint, now: bigint): string =>
  before === now ? `still has the session ${hex(now)}` : `lost the session ${hex(before)}, and has ${hex(now)}`

/** The error of a call that must be refused here. */
const refusal = <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<E, Error, R> =>
  Effect.matchEffect(effect, {
    onFailure: Effect.succeed,
    onSuccess: () => Effect.fail(new Error("the demo went wrong: what had to be refused was done"))
  })

const promised = <A>(f: (signal: AbortSignal) => Promise<A>): Effect.Effect<A, Error> =>
  Effect.tryPromise({ try: f, catch: (cause) => (cause instanceof Error ? cause : new Error(String(cause))) })

NodeRuntime.runMain(reported(program))
