import * as Getters from "@effect-zookeeper/protocol/Getters"
import { InvalidArgument } from "@effect-zookeeper/protocol/InvalidArgument"
import { withJson } from "@effect-zookeeper/protocol/Json"
import type * as Operation from "@effect-zookeeper/protocol/Operation"
import * as Operations from "@effect-zookeeper/protocol/Operations"
import * as ConnectString from "@effect-zookeeper/transport/ConnectString"
import type { ServerAddress } from "@effect-zookeeper/transport/ServerAddress"
import * as ServerList from "@effect-zookeeper/transport/ServerList"
import { Transport } from "@effect-zookeeper/transport/Transport"
import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Latch from "effect/Latch"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import { AuthFailed, RequestTimeout, type SessionError, SessionExpired } from "../SessionError.ts"
import type { SessionInfo } from "../SessionInfo.ts"
import type { AuthInfo, SessionOptions } from "../SessionOptions.ts"
import type { PersistentWatchListener, RequestPath } from "../Watch.ts"
import { type CredentialPolicy, hasCredentials, makeCredentialPolicy } from "./auth/credentialPolicy.ts"
import { closeSession, leaveSession } from "./closeSession.ts"
import { makeGuardCallback } from "./guardCallback.ts"
import { ConnectAttempts } from "./reconnect/ConnectAttempts.ts"
import { reconnectLoop } from "./reconnect/reconnectLoop.ts"
import { SessionIdentity } from "./SessionIdentity.ts"
import { SessionLog } from "./SessionLog.ts"
import { SessionMachine } from "./SessionMachine.ts"
import { awaitServers, lookUpServers, refreshServers } from "./reconnect/srvServers.ts"
import { checkAuth } from "./Settings.ts"
import { watchChildren, watchData, watchExists, watchPersistently } from "./watches/watchRequests.ts"

/** Makes a session and keeps it connected for as long as the Scope is open. `firstXid` lets a test begin near the wrap. */
export const makeSession = Effect.fnUntraced(function* (options: SessionOptions, firstXid: number = 1) {
  const transport = yield* Transport
  const { isUnknown, settings, srv } = yield* lookUpServers(options, transport)
  if (transport.check !== undefined) yield* within(transport.check, settings.connectTimeout)
  const credentialPolicy = makeCredentialPolicy(transport, settings.allowPlaintext)
  if (!isUnknown) {
    yield* credentialPolicy.checkServers(settings.servers.servers)
    if (hasCredentials(settings)) yield* credentialPolicy.checkCredentials(settings.servers.servers)
  }
  const context = yield* Effect.context()
  const identity = new SessionIdentity(settings.session)
  const log = new SessionLog(identity, context)
  const guardCallback = makeGuardCallback((defect) =>
    log.write(
      machine.connection?.server,
      Effect.logError("a callback for an outcome or event has thrown", Cause.die(defect))
    )
  )
  const clock = yield* Clock.Clock
  const servers = yield* ServerList.make(settings.servers.servers)
  const machine: SessionMachine = yield* Effect.acquireRelease(
    Effect.sync(
      () => new SessionMachine({ settings, transport, clock, context, servers, identity, log, firstXid, guardCallback })
    ),
    ({ timers }) => Effect.sync(() => timers.stop())
  )
  const { closeCoordinator, firstConnection, liveness, requests } = machine

  const attempts = new ConnectAttempts()
  const update = (found: ConnectString.ConnectString["servers"]) => replaceServers(machine, credentialPolicy, found)
  const logFailure = (line: string) => log.annotate(machine.connection?.server, Effect.logWarning(line))
  const listed = Latch.makeUnsafe(!isUnknown)
  // A list that the application gives meanwhile is as good as that of DNS.
  const listing =
    srv === undefined || !isUnknown
      ? Effect.void
      : Effect.raceFirst(Effect.andThen(awaitServers({ srv, update, logFailure }), listed.open), listed.await)
  const loop = yield* Effect.andThen(listing, reconnectLoop(machine, attempts)).pipe(
    // It ends by itself only when the session is over for good. A defect of this library must end it too, and be logged.
    Effect.tapDefect((defect) =>
      log.annotate(undefined, Effect.logError("the session ends by a defect", Cause.die(defect)))
    ),
    Effect.onExit((exit) =>
      Effect.sync(() => {
        if (Exit.isFailure(exit)) machine.close()
        firstConnection.settle(Exit.isFailure(exit) ? exit : exitOf(machine.pipeline.refusal))
      })
    ),
    Effect.forkScoped({ startImmediately: true })
  )
  if (srv !== undefined) {
    const awaitDisconnect = machine.state.changes.pipe(
      Stream.takeUntil(({ _tag }) => _tag !== "Connected"),
      Stream.runDrain
    )
    const refreshing = Effect.flatMap(machine.servers.servers, (current) =>
      refreshServers({ srv, current, update, awaitDisconnect, isFinal: () => machine.isFinal, logFailure })
    )
    yield* Effect.forkScoped(Effect.andThen(listed.await, refreshing))
  }
  const onMachineSlept = () => machine.pingNow()
  liveness.onMachineSlept = onMachineSlept
  const onProofNeeded = () => machine.expectProof()
  liveness.onProofNeeded = onProofNeeded
  liveness.scheduleWallClockCheck(liveness.now())
  if (settings.requestTimeout !== undefined) sweepTimeouts(machine, settings.requestTimeout)
  yield* Effect.addFinalizer(() => closeSession(machine))

  yield* firstConnection.wait(
    machine.connectOrCloseTimer,
    () => liveness.now() + settings.connectTimeout,
    () => attempts.toError(Effect.runSync(servers.servers))
  )

  const detach = Effect.suspend(() => {
    leaveSession(machine)
    return Fiber.interrupt(loop)
  })
  return {
    info: makeInfo(machine, Effect.asVoid(detach)),
    chroot: settings.servers.chroot,
    usesTls: settings.servers.servers.some((server) => isReachedByTls(transport, server)),
    limits: { maxRequestSize: settings.maxRequestSize, requestTimeout: settings.requestTimeout },
    request: <O extends Operation.Any>(operation: O, request: Operation.Request<O>, path: string) =>
      requests.request(operation, request, path),
    requestUnsafe: <O extends Operation.Any, A>(
      operation: O,
      request: Operation.Request<O>,
      path: string,
      transform: (response: Operation.Response<O>) => A,
      resume: (exit: Exit.Exit<A, Operation.Error<O> | SessionError>) => void,
      caller?: Fiber.Fiber<unknown, unknown>
    ) => requests.requestUnsafe(operation, request, path, transform, resume, caller),
    watchData: (path: RequestPath) => watchData(machine, path),
    watchChildren: (path: RequestPath) => watchChildren(machine, path),
    watchExists: (path: RequestPath) => watchExists(machine, path),
    watchPersistently: (
      path: RequestPath,
      options: { readonly recursive: boolean; readonly listener: PersistentWatchListener }
    ) => watchPersistently(machine, path, options),
    errand: <A, E>(effect: Effect.Effect<A, E>) => closeCoordinator.errand(effect),
    addAuth: (auth: AuthInfo) => addAuth(machine, credentialPolicy, auth),
    updateServers: (connectString: string) =>
      Effect.andThen(updateServers(machine, credentialPolicy, connectString), Effect.asVoid(listed.open))
  }
})

const isReachedByTls = ({ security }: Transport["Service"], server: ServerAddress): boolean =>
  security !== undefined && security(server) !== "plain"

/** Limits a check of the transport, whose options an application's Effect may give. Connections wait for the rest of it. */
const within = (check: Effect.Effect<void, InvalidArgument>, millis: number) =>
  Number.isFinite(millis) ? Effect.timeoutOption(check, millis) : check

const exitOf = (refusal: SessionError | undefined): Exit.Exit<void, AuthFailed | SessionExpired> =>
  refusal instanceof AuthFailed || refusal instanceof SessionExpired ? Exit.fail(refusal) : Exit.void

const makeInfo = (machine: SessionMachine, detach: Effect.Effect<void>): SessionInfo =>
  withJson(
    addLiveInfo(
      {
        ownership: machine.liveness.ownership,
        serverFeatures: machine.capabilities,
        detach,
        closing: machine.closeCoordinator.info
      },
      machine
    )
  )

type LiveInfo = Omit<SessionInfo, "ownership" | "serverFeatures" | "detach" | "closing">

const addLiveInfo = Getters.make<SessionMachine, LiveInfo>({
  id: ({ identity }) => identity.id,
  password: ({ identity }) => identity.password,
  history: ({ history }) => history,
  lastZxid: ({ pipeline }) => pipeline.lastZxid,
  state: ({ state }) => state.current,
  states: ({ state }) => state.changes,
  deadline: ({ liveness }) => {
    liveness.checkWallClock(liveness.now())
    return BigInt(Math.floor(liveness.deadline * 1_000_000))
  },
  server: ({ state: { current } }) => (current._tag === "Connected" ? Option.some(current.server) : Option.none()),
  readOnly: ({ state: { current } }) => current._tag === "Connected" && current.readOnly,
  timeout: ({ liveness }) => liveness.timeout
})

/** Times requests out, with one timer for all of them. */
const sweepTimeouts = (machine: SessionMachine, timeout: number): void => {
  const timer = machine.timers.makeTimer()
  const look = (now: number): void => {
    const oldest = machine.pipeline.timeOut(now - timeout)
    timer.set(now + (oldest === undefined ? timeout : Math.max(1, oldest + timeout - now)), look)
  }
  look(machine.liveness.now())
}

const addAuth = (
  machine: SessionMachine,
  credentialPolicy: CredentialPolicy,
  auth: AuthInfo
): Effect.Effect<void, SessionError | InvalidArgument> => {
  const added = Effect.callback<void, SessionError>((resume) => {
    const { refusal } = machine.pipeline
    if (refusal !== undefined) {
      resume(Effect.fail(refusal))
      return
    }
    const giveUp = machine.authInfos.add(auth, machine.connection?.framed.writer, resume)
    machine.connection?.framed.schedule()
    return Effect.sync(giveUp)
  })
  const { requestTimeout } = machine.settings
  const late = new RequestTimeout({ operation: Operations.auth.name, path: "", maybeApplied: true })
  return checkAuth(auth, "", machine.settings.maxRequestSize).pipe(
    Effect.andThen(machine.servers.servers),
    Effect.flatMap(credentialPolicy.checkCredentials),
    Effect.andThen(
      requestTimeout === undefined
        ? added
        : Effect.timeoutOrElse(added, { duration: requestTimeout, orElse: () => Effect.fail(late) })
    )
  )
}

/** Checks a new list as connecting checks the first one. A string without a chroot keeps the current one. */
const updateServers = Effect.fnUntraced(function* (
  machine: SessionMachine,
  credentialPolicy: CredentialPolicy,
  connectString: string
) {
  const { chroot } = machine.settings.servers
  const parsed = yield* Effect.fromResult(ConnectString.parse(connectString))
  if (parsed.chroot !== "/" && parsed.chroot !== chroot) {
    return yield* new InvalidArgument({
      argument: "servers",
      value: connectString,
      rule: `the chroot of a session cannot change: it is ${chroot}; write that, or none`
    })
  }
  yield* replaceServers(machine, credentialPolicy, parsed.servers)
})

const replaceServers = Effect.fnUntraced(function* (
  machine: SessionMachine,
  credentialPolicy: CredentialPolicy,
  servers: ConnectString.ConnectString["servers"]
) {
  yield* credentialPolicy.checkServers(servers)
  if (hasCredentials(machine.settings) || !machine.authInfos.isEmpty) yield* credentialPolicy.checkCredentials(servers)
  if (yield* machine.servers.update(servers, machine.connection?.server)) machine.leaveInGoodOrder()
})
