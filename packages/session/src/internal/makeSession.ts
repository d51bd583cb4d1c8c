import { InvalidArgument } from "@effect-zookeeper/protocol/InvalidArgument"
import { withJson } from "@effect-zookeeper/protocol/Json"
import * as Operations from "@effect-zookeeper/protocol/Operations"
import * as ConnectString from "@effect-zookeeper/transport/ConnectString"
import * as ServerList from "@effect-zookeeper/transport/ServerList"
import { Transport } from "@effect-zookeeper/transport/Transport"
import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import type * as Scope from "effect/Scope"
import type { AuthInfo, Session, SessionInfo, SessionOptions } from "../Session.ts"
import { AuthFailed, type ConnectFailed, RequestTimeout, type SessionError, SessionExpired } from "../SessionError.ts"
import { withLogAnnotations } from "./logAnnotations.ts"
import { makeGuardCallback } from "./guardCallback.ts"
import { ConnectAttempts } from "./reconnect/ConnectAttempts.ts"
import { reconnectLoop } from "./reconnect/reconnectLoop.ts"
import { type CredentialPolicy, hasCredentials, makeCredentialPolicy } from "./auth/credentialPolicy.ts"
import { SessionMachine } from "./SessionMachine.ts"
import { checkAuth, checkOptions } from "./Settings.ts"
import { SessionStateRef } from "./SessionStateRef.ts"
import { watchChildren, watchData, watchExists, watchPersistently } from "./watches/watchRequests.ts"

/** Connects a session and keeps it for as long as the Scope is open. `firstXid` lets a test begin near the wrap. */
export const makeSession = Effect.fnUntraced(function* (
  options: SessionOptions,
  firstXid: number = 1
): Effect.fn.Return<
  Session["Service"],
  ConnectFailed | AuthFailed | SessionExpired | InvalidArgument,
  Transport | Scope.Scope
> {
  const transport = yield* Transport
  const settings = yield* checkOptions(options, transport.defaultServers)
  if (transport.check !== undefined) yield* within(transport.check, settings.connectTimeout)
  const credentialPolicy = makeCredentialPolicy(transport, settings.allowPlaintext)
  yield* credentialPolicy.checkServers(settings.servers.servers)
  if (hasCredentials(settings)) yield* credentialPolicy.checkCredentials(settings.servers.servers)
  const context = yield* Effect.context()
  const guardCallback = makeGuardCallback((defect) => {
    const log = Effect.logError("who was told of an outcome or event has thrown", Cause.die(defect))
    Effect.runForkWith(context)(withLogAnnotations(machine, machine.connection?.server, log))
  })
  const clock = yield* Clock.Clock
  const servers = yield* ServerList.make(settings.servers.servers)
  const state = new SessionStateRef(settings.sessionExpiry === "fail", guardCallback)
  const machine: SessionMachine = yield* Effect.acquireRelease(
    Effect.sync(
      () => new SessionMachine({ settings, transport, clock, context, servers, state, firstXid, guardCallback })
    ),
    ({ timers }) => Effect.sync(() => timers.stop())
  )

  const attempts = new ConnectAttempts()
  const ready = makeReady(machine, attempts)
  machine.onReady = () => guardCallback(() => ready.settle(Exit.void))
  const loop = yield* reconnectLoop(machine, attempts).pipe(
    // It ends by itself only when the session is over for good; a defect of ours must end it too, and be heard of.
    Effect.tapDefect((defect) =>
      withLogAnnotations(machine, undefined, Effect.logError("the session ends by a defect", Cause.die(defect)))
    ),
    Effect.onExit((exit) =>
      Effect.sync(() => {
        if (Exit.isFailure(exit)) machine.close()
        ready.settle(Exit.isFailure(exit) ? exit : exitOf(machine.pipeline.refusal))
      })
    ),
    Effect.forkScoped({ startImmediately: true })
  )
  machine.liveness.onMachineSlept = () => machine.pingNow()
  machine.liveness.onProofNeeded = () => machine.checkHeartbeat?.()
  machine.liveness.scheduleWallClockCheck(machine.liveness.now())
  if (settings.requestTimeout !== undefined) sweepTimeouts(machine, settings.requestTimeout)
  yield* Effect.addFinalizer(() => close(machine))

  yield* ready.wait

  const detach = Effect.suspend(() => {
    machine.close()
    machine.closeCoordinator.end()
    machine.report()
    return Fiber.interrupt(loop)
  })
  return {
    info: makeInfo(machine, Effect.asVoid(detach)),
    chroot: settings.servers.chroot,
    limits: { maxRequestSize: settings.maxRequestSize, requestTimeout: settings.requestTimeout },
    request: (operation, request, path) => machine.request(operation, request, path),
    requestUnsafe: (operation, request, path, transform, resume, caller) =>
      machine.requestUnsafe(operation, request, path, transform, resume, caller),
    watchData: (path) => watchData(machine, path),
    watchChildren: (path) => watchChildren(machine, path),
    watchExists: (path) => watchExists(machine, path),
    watchPersistently: (path, options) => watchPersistently(machine, path, options),
    errand: (effect) => machine.closeCoordinator.errand(effect),
    addAuth: (auth) => addAuth(machine, credentialPolicy, auth),
    updateServers: (connectString) => updateServers(machine, credentialPolicy, connectString)
  }
})

/** An application's Effect may give the options; what it needs longer for shows when a connection needs it. */
const within = (check: Effect.Effect<void, InvalidArgument>, millis: number) =>
  Number.isFinite(millis) ? Effect.timeoutOption(check, millis) : check

const exitOf = (refusal: SessionError | undefined): Exit.Exit<void, AuthFailed | SessionExpired> =>
  refusal instanceof AuthFailed || refusal instanceof SessionExpired ? Exit.fail(refusal) : Exit.void

const makeInfo = (machine: SessionMachine, detach: Effect.Effect<void>): SessionInfo =>
  withJson({
    get id() {
      return machine.credentials.id
    },
    get password() {
      return machine.credentials.password
    },
    get history() {
      return machine.history
    },
    get state() {
      return machine.state.current
    },
    get states() {
      return machine.state.changes
    },
    get deadline() {
      machine.liveness.checkWallClock(machine.liveness.now())
      return BigInt(Math.floor(machine.liveness.deadline * 1_000_000))
    },
    ownership: machine.liveness.ownership,
    get server() {
      const { current } = machine.state
      return current._tag === "Connected" ? Option.some(current.server) : Option.none()
    },
    get readOnly() {
      const { current } = machine.state
      return current._tag === "Connected" && current.readOnly
    },
    get timeout() {
      return machine.liveness.timeout
    },
    serverFeatures: machine.capabilities,
    detach,
    closing: machine.closeCoordinator.info
  })

/** Whether the session stands: settled once, by the loop that connects it, and waited for once, by who makes it. */
const makeReady = (machine: SessionMachine, attempts: ConnectAttempts) => {
  type Outcome = Exit.Exit<void, AuthFailed | SessionExpired | ConnectFailed>
  let outcome: Outcome | undefined
  let notify: ((outcome: Outcome) => void) | undefined
  return {
    settle: (given: Outcome): void => {
      if (outcome !== undefined) return
      outcome = given
      notify?.(given)
    },
    wait: Effect.callback<void, AuthFailed | SessionExpired | ConnectFailed>((resume) => {
      if (outcome !== undefined) return resume(outcome)
      notify = (given) => {
        notify = undefined
        machine.connectOrCloseTimer.clear()
        resume(given)
      }
      const late = () => notify?.(Exit.fail(attempts.toError(Effect.runSync(machine.servers.servers))))
      machine.connectOrCloseTimer.setAwake(machine.liveness.now() + machine.settings.connectTimeout, late)
      return Effect.sync(() => {
        notify = undefined
        machine.connectOrCloseTimer.clear()
      })
    })
  }
}

/**
 * Ends the session at the server, within one deadline, once nothing runs any more under what it owns; or leaves it to lapse
 * by itself, if something does to the last.
 */
const close = (machine: SessionMachine): Effect.Effect<void> =>
  Effect.suspend(() => {
    const leave = Effect.sync(() => {
      machine.close()
      machine.closeCoordinator.end()
      machine.report()
    })
    if (machine.state.isFinal) return leave
    // Others may own what we did as soon as the server has heard of it: our own are told before.
    machine.beginClosing()
    if (!machine.hasLiveSession) return leave
    const endSession = Effect.suspend(() =>
      machine.closeCoordinator.isHeld ? leaveToLapse(machine) : machine.closeSession
    )
    return machine.closeCoordinator.settled.pipe(Effect.andThen(endSession), Effect.andThen(leave))
  })

/** Others get what is owned when the servers have given the session up. */
const leaveToLapse = (machine: SessionMachine): Effect.Effect<void> =>
  withLogAnnotations(
    machine,
    machine.connection?.server,
    Effect.logWarning(
      `the session is left to lapse instead of being closed: after closeTimeout (${machine.settings.closeTimeout} ms) something still ran under a lock; others get it within ${Math.round(machine.liveness.timeout)} ms. Let what a lock guards end when it is interrupted or its signal is aborted, or raise closeTimeout`
    )
  )

/** Times requests out: one look at those that have waited longest serves all. */
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
    const giveUp = machine.authInfos.add(auth, machine.connection?.writer, resume)
    machine.connection?.schedule()
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

/** Asks all that connecting asks of a list; a string without a chroot keeps the one there is. */
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
  yield* credentialPolicy.checkServers(parsed.servers)
  if (hasCredentials(machine.settings) || !machine.authInfos.isEmpty)
    yield* credentialPolicy.checkCredentials(parsed.servers)
  if (yield* machine.servers.update(parsed.servers, machine.connection?.server)) machine.leaveInGoodOrder()
})
