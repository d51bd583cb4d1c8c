/** The client of a run. It connects when a command asks for it. */
import type { InvalidArgument } from "@effect-zookeeper/client/Errors"
import type * as ZooKeeper from "@effect-zookeeper/client/ZooKeeper"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import { ReadOnlyMode } from "./errors.ts"
import type { Settings } from "./Settings.ts"

/** The methods of the client that change nothing. */
export type Reader = Omit<
  ZooKeeper.Service,
  | "create"
  | "createWithStat"
  | "ensurePath"
  | "createWithParents"
  | "createOrSet"
  | "set"
  | "setData"
  | "update"
  | "setAcl"
  | "delete"
  | "deleteAll"
  | "transaction"
  | "reconfigure"
  | "addAuth"
  | "updateServers"
  | "withChroot"
  | "trackVersions"
>

export type StartError = ZooKeeper.StartError | InvalidArgument

/**
 * The client. `reader` is all that a command of reading gets; the methods that write are behind `writer`, which fails
 * before anything is sent where writes are not allowed.
 */
export class Client extends Context.Service<
  Client,
  {
    readonly reader: Effect.Effect<Reader, StartError, Scope.Scope>
    /** The same on the root of the servers, and the chroot of the command there. */
    readonly rootReader: Effect.Effect<{ readonly zk: Reader; readonly chroot: string }, StartError, Scope.Scope>
    /** A reader that goes on in a new session after an expiry, for commands that run until they are stopped. */
    readonly watcher: Effect.Effect<Reader, StartError, Scope.Scope>
    readonly writer: (command: string) => Effect.Effect<ZooKeeper.Service, StartError | ReadOnlyMode, Scope.Scope>
    /** The same on the root of the servers, and the chroot of the command there. */
    readonly rootWriter: (
      command: string
    ) => Effect.Effect<
      { readonly zk: ZooKeeper.Service; readonly chroot: string },
      StartError | ReadOnlyMode,
      Scope.Scope
    >
    /** A writer that goes on in a new session after an expiry, for a command that waits for a person. */
    readonly lastingWriter: (
      command: string
    ) => Effect.Effect<ZooKeeper.Service, StartError | ReadOnlyMode, Scope.Scope>
    /** A client that holds something for a command, and that begins a new session after an expiry. */
    readonly holder: (
      command: string,
      options: { readonly sessionTimeout: Duration.Duration; readonly ownershipMargin: Duration.Duration }
    ) => Effect.Effect<ZooKeeper.Service, StartError | ReadOnlyMode, Scope.Scope>
    /**
     * A client for modules that follow the tree: they need its whole interface, and write nothing. It begins a new session
     * after an expiry.
     */
    readonly follower: Effect.Effect<ZooKeeper.Service, StartError, Scope.Scope>
    /** A follower that is content with a server without a quorum, for people who look. */
    readonly viewer: Effect.Effect<ZooKeeper.Service, StartError, Scope.Scope>
    /**
     * Never succeeds, and fails where a command waits for servers that cannot be reached: the session of a prompt would wait for
     * them. Undefined for a session of the command itself.
     */
    readonly outage?: Effect.Effect<never, StartError>
    readonly settings: Settings
  }
>()("@effect-zookeeper/cli/Client") {}

/** The client of a run that connects when a command asks for it. */
export const make = (settings: Settings, connect: Connect = connectAnew): Client["Service"] => {
  const reader = connect(settings, settings.chroot)
  const root = Effect.map(connect(settings, ""), (zk) => ({ zk, chroot: settings.chroot }))
  const lasting = connect(settings, settings.chroot, { sessionExpiry: "recreate" })
  const ifAllowed = <A, E, R>(command: string, effect: Effect.Effect<A, E, R>) =>
    settings.readOnly === undefined ? effect : new ReadOnlyMode({ command, source: settings.readOnly })
  return {
    settings,
    reader,
    rootReader: root,
    watcher: lasting,
    follower: lasting,
    viewer: connect(settings, settings.chroot, { sessionExpiry: "recreate", allowReadOnly: true }),
    writer: (command) => ifAllowed(command, reader),
    rootWriter: (command) => ifAllowed(command, root),
    lastingWriter: (command) => ifAllowed(command, lasting),
    holder: (command, options) =>
      ifAllowed(command, connect(settings, settings.chroot, { ...options, sessionExpiry: "recreate" }))
  }
}

export type Connect = (
  settings: Settings,
  chroot: string,
  options?: Pick<
    ZooKeeper.Options,
    "sessionTimeout" | "ownershipMargin" | "sessionExpiry" | "allowReadOnly" | "ensembleReset"
  >
) => Effect.Effect<ZooKeeper.Service, StartError, Scope.Scope>

/**
 * A person waits for it: longer than a server needs, and shorter than the patience of most. It ends before the timeout of
 * the command, so that the error has the reasons of the servers.
 */
export const connectTimeoutOf = (timeout: Duration.Duration | undefined): Duration.Duration =>
  timeout === undefined ? Duration.seconds(5) : Duration.min(Duration.times(timeout, 0.8), Duration.seconds(5))

/** Connects with a session of its own. */
export const connectAnew: Connect = (settings, chroot, options = { sessionExpiry: "fail" }) =>
  Effect.gen(function* () {
    const { TlsOptions, ZooKeeper } = yield* Effect.promise(() => import("./clientModules.ts"))
    const { auth, maxBuffer, readOnly, sasl, servers, timeout, tls } = settings
    const context = yield* Layer.build(
      ZooKeeper.layer({
        servers,
        auth,
        sasl,
        allowReadOnly: readOnly !== undefined,
        connectTimeout: connectTimeoutOf(timeout),
        maxFrameSize: Math.max(largestReply, maxBuffer ?? 0),
        ...(maxBuffer === undefined ? {} : { maxRequestSize: maxBuffer }),
        ...options,
        ...(chroot === "" ? {} : { chroot }),
        ...(tls === undefined ? {} : { tls: TlsOptions.fromFiles(tls) })
      })
    )
    return Context.get(context, ZooKeeper.ZooKeeper)
  })

// ---- internal

/**
 * The largest reply, unless a larger one is asked for. One person reads one answer, so that room for a znode of a million
 * children costs nothing until there is one. The console lists no more of them.
 */
const largestReply = 64 * 1024 * 1024
