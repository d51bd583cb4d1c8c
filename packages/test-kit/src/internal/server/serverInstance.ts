/**
 * One server process with its folder and its controls: shared by single servers and members of an ensemble.
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Schedule from "effect/Schedule"
import * as Scope from "effect/Scope"
import * as Semaphore from "effect/Semaphore"
import * as Crypto from "node:crypto"
import * as Fs from "node:fs"
import * as Path from "node:path"
import { ZooKeeperServerError } from "../../ZooKeeperError.ts"
import * as ZooKeeperInstall from "../../ZooKeeperInstall.ts"
import type { Mode, Options, ZooKeeperServer } from "./model.ts"
import { type Certificates, makeClientPfx, makeCrl, makeEncryptedClientKey } from "./certificates.ts"
import { fourLetterWord } from "./fourLetterWord.ts"
import * as GuardedProcess from "./guardedProcess.ts"
import {
  dynamicConfig,
  dynamicMember,
  jaasConf,
  jvmFlags,
  logbackXml,
  type Member,
  type Ports,
  standalone,
  staticMember,
  zooCfg
} from "./serverConfig.ts"
import { awaitStopped } from "./awaitStopped.ts"

interface Spec {
  readonly id: number
  /** Must exist; the caller that made it removes it. */
  readonly folder: string
  /** The folder to remove if this process dies: the server's, or the one with all folders of its ensemble. */
  readonly root: string
  readonly ports: Ports
  readonly install: ZooKeeperInstall.ZooKeeperInstall
  readonly options: Options
  /** All members of the ensemble, this one included; `undefined` for a standalone server. */
  readonly members: ReadonlyArray<Member> | undefined
  /** Whether the members are listed in `zoo.cfg` itself, for good. Default false. */
  readonly isStatic?: boolean
  readonly certificates: Certificates | undefined
}

/** Makes something in a Scope of its own, again from the start if another process took one of its ports meanwhile. */
export const withFreshPorts = <A>(
  make: Effect.Effect<A, ZooKeeperServerError, Scope.Scope>,
  times: number
): Effect.Effect<A, ZooKeeperServerError, Scope.Scope> =>
  Effect.gen(function* () {
    const scope = yield* Scope.fork(yield* Effect.scope)
    return yield* make.pipe(
      Scope.provide(scope),
      Effect.onError(() => Scope.close(scope, Exit.void))
    )
  }).pipe(Effect.retry({ times, while: (error) => error.reason.includes("BindException") }))

/** Real time, also where a test has replaced the clock: a real server does not live in a test's time. */
export const inRealTime: <A, E, R>(effect: Effect.Effect<A, E, R>) => Effect.Effect<A, E, R> = Effect.provideService(
  Clock.Clock,
  Clock.Clock.defaultValue()
)

/** The server with its files written, not started yet. */
export const makeInstance = Effect.fnUntraced(function* (spec: Spec) {
  const { folder, id, options, ports } = spec
  const address = `127.0.0.1:${ports.client}`
  const logFile = Path.join(folder, "server.log")
  writeFiles(spec)

  const lock = yield* Semaphore.make(1)
  let { install } = spec
  let current: GuardedProcess.GuardedProcess | undefined
  yield* Effect.addFinalizer(() =>
    Effect.suspend(() => {
      if (current === undefined) return Effect.void
      const process = current
      current = undefined
      return process.signal("SIGKILL").pipe(Effect.andThen(process.exited), Effect.andThen(process.release))
    })
  )

  const failed = (action: string, reason: string) =>
    new ZooKeeperServerError({ server: `ZooKeeper server ${address}`, action, reason: reason + logTail(logFile) })

  const launch = Effect.gen(function* () {
    if (current?.isRunning() === true) return
    const previous = current
    current = yield* GuardedProcess.start({ folder: spec.root, logFile, ...command(spec, install) })
    // Until now the guard of the former process has watched the folder.
    if (previous !== undefined) yield* previous.release
  }).pipe(Effect.uninterruptible)

  const signal = (name: NodeJS.Signals) => Effect.suspend(() => current?.signal(name) ?? Effect.void)
  const pause = Effect.suspend(() =>
    current === undefined
      ? Effect.void
      : Effect.andThen(current.signal("SIGSTOP"), inRealTime(awaitStopped(current.pid)))
  )
  const exited = Effect.suspend(() => current?.exited ?? Effect.void)
  const kill = signal("SIGKILL").pipe(Effect.andThen(exited))
  const stop = Effect.gen(function* () {
    yield* signal("SIGTERM")
    // A paused process does not see a SIGTERM.
    yield* signal("SIGCONT")
    yield* exited.pipe(Effect.timeoutOrElse({ duration: "5 seconds", orElse: () => kill }))
  })

  const modeOf = fourLetterWord(ports.client, "srvr", "1 second").pipe(
    Effect.map((answer): Mode => toMode(/^Mode: (.*)$/m.exec(answer)?.[1])),
    Effect.orElseSucceed((): Mode => "down")
  )
  // Where another process has taken the port meanwhile, its server answers while ours still starts, to fail soon.
  const isOurs = fourLetterWord(ports.client, "conf", "1 second").pipe(
    Effect.map((answer) => answer.includes(`dataDir=${folder}/`)),
    Effect.orElseSucceed(() => false)
  )
  const awaitMode = (...modes: ReadonlyArray<Mode>) => {
    const wanted = modes.length === 0 ? serving : modes
    const wait = `wait until it is ${wanted.join(" or ")}`
    return Effect.gen(function* () {
      const mode = yield* modeOf
      if (wanted.includes(mode) && (mode === "down" || (yield* isOurs))) return true
      if (current?.isRunning() === true || wanted.includes("down")) return false
      return yield* failed(wait, "the process has ended")
    }).pipe(
      Effect.repeat({ until: (done) => done, schedule: Schedule.spaced("50 millis") }),
      Effect.asVoid,
      Effect.timeoutOrElse({
        duration: options.startTimeout ?? "30 seconds",
        orElse: () => Effect.flatMap(modeOf, (mode) => failed(wait, `it is ${mode} when the time is up`))
      })
    )
  }
  const start = launch.pipe(Effect.andThen(awaitMode()))

  const restartAs = Effect.fnUntraced(function* (home: string) {
    const other = yield* ZooKeeperInstall.at(home)
    yield* stop
    install = other
    yield* start
  })

  const { certificates } = spec
  const server: ZooKeeperServer = {
    id,
    host: "127.0.0.1",
    port: ports.client,
    connectString: address,
    tls:
      certificates === undefined
        ? undefined
        : {
            ca: certificates.ca,
            client: certificates.client,
            superClient: certificates.superClient,
            clientPfx: (passphrase) => makeClientPfx(certificates.folder, passphrase),
            encryptedClientKey: (passphrase) => makeEncryptedClientKey(certificates.folder, passphrase),
            crl: (revoked) => makeCrl(certificates.folder, revoked),
            connectString: `127.0.0.1:${ports.secure}`
          },
    folder,
    pid: Effect.sync(() => (current?.isRunning() === true ? current.pid : undefined)),
    kill: lock.withPermit(kill),
    stop: inRealTime(lock.withPermit(stop)),
    start: inRealTime(lock.withPermit(start)),
    launch: lock.withPermit(launch),
    restart: inRealTime(lock.withPermit(stop.pipe(Effect.andThen(start)))),
    restartAs: (home) => inRealTime(lock.withPermit(restartAs(home))),
    pause,
    resume: signal("SIGCONT"),
    fourLetterWord: (word, timeout = "2 seconds") => inRealTime(fourLetterWord(ports.client, word, timeout)),
    mode: inRealTime(modeOf),
    awaitMode: (...modes) => inRealTime(awaitMode(...modes))
  }
  return server
})

const serving: ReadonlyArray<Mode> = ["leader", "follower", "observer", "standalone"]

const toMode = (text: string | undefined): Mode =>
  [...serving, "read-only" as const].find((mode) => mode === text) ?? "down"

const writeFiles = ({ certificates, folder, id, isStatic, members, options, ports }: Spec): void => {
  const write = (name: string, content: string) => Fs.writeFileSync(Path.join(folder, name), content)
  Fs.mkdirSync(Path.join(folder, "data"))
  write("data/myid", `${id}\n`)
  const membership =
    members === undefined ? standalone(ports) : isStatic === true ? staticMember(ports, members) : dynamicMember(folder)
  write("zoo.cfg", zooCfg(folder, ports, options, membership, certificates))
  if (members !== undefined && isStatic !== true) write("zoo.cfg.dynamic", dynamicConfig(members))
  write("jaas.conf", jaasConf)
  write("logback.xml", logbackXml(options.logLevel ?? "warn"))
}

const command = ({ folder, options }: Spec, install: ZooKeeperInstall.ZooKeeperInstall) => {
  const args = [...jvmFlags(folder, options), ZooKeeperInstall.mainClass, Path.join(folder, "zoo.cfg")]
  if (install._tag === "Java") return { command: [install.java, "-cp", install.classPath, ...args] as const }
  const container = `zookeeper-${Crypto.randomUUID()}`
  const user = `${process.getuid?.() ?? 0}:${process.getgid?.() ?? 0}`
  // The host's network: the members of an ensemble find each other, and the client finds them, on loopback.
  const docker = ["run", "--rm", "--name", container, "--network", "host", "--user", user, "-v", `${folder}:${folder}`]
  const java = 'exec java -cp "$(echo /apache-zookeeper-*-bin)/lib/*" "$@"'
  const shell = ["--entrypoint", "sh", install.image, "-c", java, "java"]
  return { command: ["docker", ...docker, ...shell, ...args] as const, container }
}

const logTail = (file: string): string => {
  if (!Fs.existsSync(file)) return ""
  const lines = Fs.readFileSync(file, "utf8").trim().split("\n").slice(-15)
  return lines.length === 1 && lines[0] === "" ? "" : `; the end of its log:\n${lines.join("\n")}`
}
