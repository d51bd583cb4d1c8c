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

type StartError = ZooKeeper.StartError | InvalidArgument

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
    readonly writer: (command: string) => Effect.Effect<ZooKeeper.Service, StartError | ReadOnlyMode, Scope.Scope>
    /** A client that holds something for a command, and that begins a new session after an expiry. */
    readonly holder: (
      command: string,
      options: { readonly sessionTimeout: Duration.Duration; readonly ownershipMargin: Duration.Duration }
    ) => Effect.Effect<ZooKeeper.Service, StartError | ReadOnlyMode, Scope.Scope>
    readonly settings: Settings
  }
>()("@effect-zookeeper/cli/Client") {}

export const make = (settings: Settings): Client["Service"] => {
  const reader = connect(settings, settings.chroot)
  return {
    settings,
    reader,
    rootReader: Effect.map(connect(settings, ""), (zk) => ({ zk, chroot: settings.chroot })),
    writer: (command) =>
      settings.readOnly === undefined ? reader : new ReadOnlyMode({ command, source: settings.readOnly }),
    holder: (command, options) =>
      settings.readOnly === undefined
        ? connect(settings, settings.chroot, { ...options, sessionExpiry: "recreate" })
        : new ReadOnlyMode({ command, source: settings.readOnly })
  }
}

// ---- internal

/**
 * A person waits for it: longer than a server needs, and shorter than the patience of most. It ends before the timeout of
 * the command, so that the error has the reasons of the servers.
 */
const connectTimeoutOf = (timeout: Duration.Duration | undefined): Duration.Duration =>
  timeout === undefined ? Duration.seconds(5) : Duration.min(Duration.times(timeout, 0.8), Duration.seconds(5))

const connect = (
  settings: Settings,
  chroot: string,
  options: Pick<ZooKeeper.Options, "sessionTimeout" | "ownershipMargin" | "sessionExpiry"> = { sessionExpiry: "fail" }
) =>
  Effect.gen(function* () {
    const { TlsOptions, ZooKeeper } = yield* Effect.promise(() => import("./clientModules.ts"))
    const { auth, readOnly, servers, timeout, tls } = settings
    const context = yield* Layer.build(
      ZooKeeper.layer({
        servers,
        auth,
        allowReadOnly: readOnly !== undefined,
        connectTimeout: connectTimeoutOf(timeout),
        ...options,
        ...(chroot === "" ? {} : { chroot }),
        ...(tls === undefined ? {} : { tls: TlsOptions.fromFiles(tls) })
      })
    )
    return Context.get(context, ZooKeeper.ZooKeeper)
  })
