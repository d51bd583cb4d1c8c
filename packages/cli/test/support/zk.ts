/** The command `zk` as tests run it: in this process, on the real ZooKeeper and on the embedded one. */
import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import * as NodeChildProcessSpawner from "@effect/platform-node/NodeChildProcessSpawner"
import type * as ZooKeeper from "@effect-zookeeper/client/ZooKeeper"
import { connectTo, Target } from "@effect-zookeeper/test-kit/conformance/Target"
import * as Targets from "@effect-zookeeper/test-kit/conformance/targets"
import { freshPath } from "@effect-zookeeper/test-kit/TestServer"
import { testWith, type TestWith } from "@effect-zookeeper/test-kit/TestWith"
import { describe, layer } from "@effect/vitest"
import type * as Cause from "effect/Cause"
import * as ConfigProvider from "effect/ConfigProvider"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Path from "effect/Path"
import * as Queue from "effect/Queue"
import type * as Scope from "effect/Scope"
import * as Sink from "effect/Sink"
import * as Stdio from "effect/Stdio"
import * as Stream from "effect/Stream"
import * as Terminal from "effect/Terminal"
import { main } from "../../src/internal/main.ts"

export interface Run {
  readonly code: number
  readonly out: string
  readonly err: string
  /** The standard output as it was written. */
  readonly bytes: Uint8Array
}

export interface RunOptions {
  /** Gets the standard output as it is written. */
  readonly onOut?: (text: string) => void
  readonly env?: Readonly<Record<string, string>>
  /** `open` never ends, and `lines` come as they are offered. */
  readonly stdin?: string | Uint8Array | { readonly open: true } | { readonly lines: Stream.Stream<string> }
  /** Makes the standard input and output a terminal, whose user types this line. */
  readonly terminal?: string
}

/** Runs `zk` with these arguments. */
export const run = (args: ReadonlyArray<string>, options: RunOptions = {}): Effect.Effect<Run> =>
  Effect.gen(function* () {
    const { env = {}, onOut, stdin, terminal } = options
    const out: Array<Uint8Array> = []
    const err: Array<Uint8Array> = []
    const sink = (chunks: Array<Uint8Array>) => () =>
      Sink.forEach((chunk: string | Uint8Array) =>
        Effect.sync(() => {
          chunks.push(typeof chunk === "string" ? new TextEncoder().encode(chunk) : chunk)
          if (chunks === out) onOut?.(Buffer.concat(out).toString())
        })
      )
    const isTerminal = Effect.succeed(terminal !== undefined)
    const stdio = Stdio.make({
      args: Effect.succeed(args),
      stdinIsTerminal: isTerminal,
      stdoutIsTerminal: isTerminal,
      stderrIsTerminal: isTerminal,
      stdout: sink(out),
      stderr: sink(err),
      stdin:
        stdin === undefined
          ? Stream.empty
          : typeof stdin === "string"
            ? Stream.make(new TextEncoder().encode(stdin))
            : stdin instanceof Uint8Array
              ? Stream.make(stdin)
              : "lines" in stdin
                ? Stream.map(stdin.lines, (line) => new TextEncoder().encode(`${line}\n`))
                : Stream.never
    })
    const files = Layer.mergeAll(NodeFileSystem.layer, Path.layer)
    const code = yield* main(args, "1.2.3").pipe(
      Effect.provide(Layer.provideMerge(NodeChildProcessSpawner.layer, files)),
      Effect.provideService(Stdio.Stdio, stdio),
      Effect.provideService(
        Terminal.Terminal,
        Terminal.make({
          columns: Effect.succeed(80),
          rows: Effect.succeed(24),
          size: Effect.die("not used"),
          readInput: Effect.map(Queue.unbounded<Terminal.UserInput, Cause.Done>(), (queue) => {
            for (const key of keysOf(`${terminal ?? ""}\r`)) Queue.offerUnsafe(queue, key)
            return queue
          }),
          readLine: Effect.succeed(terminal ?? ""),
          display: (text) => Effect.sync(() => void err.push(new TextEncoder().encode(text)))
        })
      ),
      Effect.provideService(ConfigProvider.ConfigProvider, ConfigProvider.fromEnv({ env }))
    )
    const bytes = Buffer.concat(out)
    return { code, out: bytes.toString(), err: Buffer.concat(err).toString(), bytes: new Uint8Array(bytes) }
  })

/** The keys of a line; `\b` is the backspace key and `\u0015` Ctrl-U. */
const keysOf = (line: string): ReadonlyArray<Terminal.UserInput> =>
  Array.from(line, (input) => {
    const name = input === "\r" ? "return" : input === "\b" ? "backspace" : input === "\u0015" ? "u" : input
    return { input: Option.some(input), key: { name, ctrl: input === "\u0015", meta: false, shift: false } }
  })

/** The data of a znode as text. */
export const textOf = (zk: Pick<ZooKeeper.Service, "getData">, path: string) =>
  Effect.map(zk.getData(path), (data) => new TextDecoder().decode(data))

/** A standard input, output and error that are nothing. */
export const silentStdio: Layer.Layer<Stdio.Stdio> = Layer.succeed(
  Stdio.Stdio,
  Stdio.make({
    args: Effect.succeed([]),
    stdinIsTerminal: Effect.succeed(false),
    stdoutIsTerminal: Effect.succeed(false),
    stderrIsTerminal: Effect.succeed(false),
    stdout: () => Sink.drain,
    stderr: () => Sink.drain,
    stdin: Stream.empty
  })
)

/** A command that runs until it is stopped. */
export interface Live {
  /** Waits until the standard output has this text. */
  readonly sees: (part: string) => Effect.Effect<void>
  /** Waits until the command has ended by itself. */
  readonly end: Effect.Effect<Run>
}

/** Begins a command, which ends with the Scope. */
export const makeLive = Effect.fnUntraced(function* (start: (onOut: (text: string) => void) => Effect.Effect<Run>) {
  let out = ""
  let changed = Deferred.makeUnsafe<void>()
  const fiber = yield* Effect.forkScoped(
    start((text) => {
      out = text
      Deferred.doneUnsafe(changed, Exit.void)
      changed = Deferred.makeUnsafe<void>()
    })
  )
  const sees = (part: string): Effect.Effect<void> =>
    Effect.suspend(() => (out.includes(part) ? Effect.void : Effect.andThen(Deferred.await(changed), sees(part))))
  const fail = (part: string) => Effect.die(`${part} is not in:\n${out}`)
  return {
    sees: (part) =>
      sees(part).pipe(
        Effect.raceFirst(
          Effect.andThen(
            Fiber.await(fiber),
            Effect.suspend(() => (out.includes(part) ? Effect.void : fail(part)))
          )
        ),
        Effect.timeoutOrElse({ duration: "20 seconds", orElse: () => fail(part) })
      ),
    end: Fiber.join(fiber)
  } satisfies Live
})

/** `it` of a test of commands. */
interface CommandTests {
  readonly inChroot: TestWith<Commands, Target>
}

/** A chroot of its own, a client of it, and `zk` there. */
export interface Commands {
  readonly chroot: string
  readonly servers: string
  readonly zk: ZooKeeper.Service
  readonly run: (args: ReadonlyArray<string>, options?: RunOptions) => Effect.Effect<Run>
  /** Begins a command, which ends with the Scope. */
  readonly runLive: (args: ReadonlyArray<string>, options?: RunOptions) => Effect.Effect<Live, never, Scope.Scope>
  /** A connection to the server that can be broken. */
  readonly link: Target["Service"]["link"]
  /** Another client of the chroot, with a session of its own. */
  readonly another: (options?: Parameters<typeof connectTo>[1]) => Effect.Effect<ZooKeeper.Service, never, Scope.Scope>
}

/** The same tests on the embedded server and on real ZooKeeper, both over TCP. */
export const describeOnServers = (name: string, tests: Tests): void =>
  describeOn(Targets.both(Targets.embeddedTcp), name, tests)

/** For tests that take long: on real ZooKeeper, and in `test:long` on the embedded server, too. */
export const describeSlowOnServers = (name: string, tests: Tests): void =>
  describeOn(Targets.bothIfLong(Targets.embeddedTcp), name, tests)

type Tests = (it: CommandTests, where: { readonly isReal: boolean }) => void

const describeOn = (targets: ReturnType<typeof Targets.both<unknown>>, name: string, tests: Tests): void => {
  for (const [where, target] of targets) {
    describe(`${name}, on ${where}`, () => {
      layer(target, { excludeTestServices: true })(({ effect }) =>
        tests({ inChroot: testWith(effect, makeCommands) }, { isReal: target === Targets.real })
      )
    })
  }
}

const makeCommands: Effect.Effect<Commands, never, Target | Scope.Scope> = Effect.gen(function* () {
  const target = yield* Target
  const chroot = freshPath("cli")
  const root = yield* connectTo(target)
  yield* root.create(chroot)
  const env = { ZK_SERVERS: `${target.servers}${chroot}` }
  const runHere = (args: ReadonlyArray<string>, options: RunOptions = {}) =>
    run(args, { ...options, env: { ...env, ...options.env } })
  return {
    chroot,
    servers: target.servers,
    zk: yield* root.withChroot(chroot),
    run: runHere,
    runLive: (args, options) =>
      makeLive((onOut) =>
        runHere(args, {
          ...options,
          onOut: (text) => {
            options?.onOut?.(text)
            onOut(text)
          }
        })
      ),
    link: target.link,
    another: (options) => Effect.orDie(connectTo(target, { chroot, ...options }))
  } satisfies Commands
}).pipe(Effect.orDie)
