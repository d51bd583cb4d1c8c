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
import { annotated } from "./annotated.ts"
import { makeCallOut } from "./CallOut.ts"
import { Attempts } from "./Attempts.ts"
import { connectionLoop } from "./connectionLoop.ts"
import { type Exposure, hasCredentials, makeExposure } from "./exposure.ts"
import { SessionCore } from "./SessionCore.ts"
import { checkAuth, checkOptions } from "./Settings.ts"
import { StateCell } from "./StateCell.ts"
import { watchChildren, watchData, watchExists, watchPersistently } from "./watchRequests.ts"

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
  const exposure = makeExposure(transport, settings.allowPlaintext)
  yield* exposure.checkServers(settings.servers.servers)
  if (hasCredentials(settings)) yield* exposure.checkCredentials(settings.servers.servers)
  const context = yield* Effect.context()
  const callOut = makeCallOut((defect) => {
    const log = Effect.logError("who was told of an outcome or event has thrown", Cause.die(defect))
    Effect.runForkWith(context)(annotated(core, core.link?.server, log))
  })
  const clock = yield* Clock.Clock
  const servers = yield* ServerList.make(settings.servers.servers)
  const state = new StateCell(settings.sessionExpiry === "fail", callOut)
  const core: SessionCore = yield* Effect.acquireRelease(
    Effect.sync(() => new SessionCore({ settings, transport, clock, context, servers, state, firstXid, callOut })),
    ({ alarm }) => Effect.sync(() => alarm.stop())
  )

  const attempts = new Attempts()
  const ready = makeReady(core, attempts)
  core.onReady = () => callOut(() => ready.settle(Exit.void))
  const loop = yield* connectionLoop(core, attempts).pipe(
    // It ends by itself only when the session is over for good; a defect of ours must end it too, and be heard of.
    Effect.tapDefect((defect) =>
      annotated(core, undefined, Effect.logError("the session ends by a defect", Cause.die(defect)))
    ),
    Effect.onExit((exit) =>
      Effect.sync(() => {
        if (Exit.isFailure(exit)) core.close()
        ready.settle(Exit.isFailure(exit) ? exit : whyOver(core.exchange.refusal))
      })
    ),
    Effect.forkScoped({ startImmediately: true })
  )
  core.liveness.onSlept = () => core.askForSigns()
  core.liveness.onProofNeeded = () => core.beat?.()
  core.liveness.watchWallClock(core.liveness.now())
  if (settings.requestTimeout !== undefined) sweep(core, settings.requestTimeout)
  yield* Effect.addFinalizer(() => close(core))

  yield* ready.wait

  const detach = Effect.suspend(() => {
    core.close()
    core.closing.end()
    core.report()
    return Fiber.interrupt(loop)
  })
  return {
    info: makeInfo(core, Effect.asVoid(detach)),
    chroot: settings.servers.chroot,
    limits: { maxRequestSize: settings.maxRequestSize, requestTimeout: settings.requestTimeout },
    request: (operation, request, path) => core.request(operation, request, path),
    begin: (operation, request, path, into, resume, caller) =>
      core.begin(operation, request, path, into, resume, caller),
    watchData: (path) => watchData(core, path),
    watchChildren: (path) => watchChildren(core, path),
    watchExists: (path) => watchExists(core, path),
    watchPersistently: (path, options) => watchPersistently(core, path, options),
    errand: (effect) => core.closing.errand(effect),
    addAuth: (auth) => addAuth(core, exposure, auth),
    updateServers: (connectString) => updateServers(core, exposure, connectString)
  }
})

/** An application's Effect may give the options; what it needs longer for shows when a connection needs it. */
const within = (check: Effect.Effect<void, InvalidArgument>, millis: number) =>
  Number.isFinite(millis) ? Effect.timeoutOption(check, millis) : check

const whyOver = (refusal: SessionError | undefined): Exit.Exit<void, AuthFailed | SessionExpired> =>
  refusal instanceof AuthFailed || refusal instanceof SessionExpired ? Exit.fail(refusal) : Exit.void

const makeInfo = (core: SessionCore, detach: Effect.Effect<void>): SessionInfo =>
  withJson({
    get id() {
      return core.credentials.id
    },
    get password() {
      return core.credentials.password
    },
    get history() {
      return core.history
    },
    get state() {
      return core.state.current
    },
    get states() {
      return core.state.changes
    },
    get deadline() {
      core.liveness.lookAtWallClock(core.liveness.now())
      return BigInt(Math.floor(core.liveness.deadline * 1_000_000))
    },
    ownership: core.liveness.ownership,
    get server() {
      const { current } = core.state
      return current._tag === "Connected" ? Option.some(current.server) : Option.none()
    },
    get readOnly() {
      const { current } = core.state
      return current._tag === "Connected" && current.readOnly
    },
    get timeout() {
      return core.liveness.timeout
    },
    serverFeatures: core.capabilities,
    detach,
    closing: core.closing.info
  })

/** Whether the session stands: settled once, by the loop that connects it, and waited for once, by who makes it. */
const makeReady = (core: SessionCore, attempts: Attempts) => {
  type Outcome = Exit.Exit<void, AuthFailed | SessionExpired | ConnectFailed>
  let outcome: Outcome | undefined
  let tell: ((outcome: Outcome) => void) | undefined
  return {
    settle: (given: Outcome): void => {
      if (outcome !== undefined) return
      outcome = given
      tell?.(given)
    },
    wait: Effect.callback<void, AuthFailed | SessionExpired | ConnectFailed>((resume) => {
      if (outcome !== undefined) return resume(outcome)
      tell = (given) => {
        tell = undefined
        core.patience.clear()
        resume(given)
      }
      const late = () => tell?.(Exit.fail(attempts.toError(Effect.runSync(core.servers.servers))))
      core.patience.setAwake(core.liveness.now() + core.settings.connectTimeout, late)
      return Effect.sync(() => {
        tell = undefined
        core.patience.clear()
      })
    })
  }
}

/**
 * Ends the session at the server, within one deadline, once nothing runs any more under what it owns; or leaves it to lapse
 * by itself, if something does to the last.
 */
const close = (core: SessionCore): Effect.Effect<void> =>
  Effect.suspend(() => {
    const leave = Effect.sync(() => {
      core.close()
      core.closing.end()
      core.report()
    })
    if (core.state.isFinal) return leave
    // Others may own what we did as soon as the server has heard of it: our own are told before.
    core.beginClosing()
    if (!core.isStanding) return leave
    const goodbye = Effect.suspend(() => (core.closing.isHeld ? leftToLapse(core) : core.sayGoodbye))
    return core.closing.settled.pipe(Effect.andThen(goodbye), Effect.andThen(leave))
  })

/** Others get what is owned when the servers have given the session up. */
const leftToLapse = (core: SessionCore): Effect.Effect<void> =>
  annotated(
    core,
    core.link?.server,
    Effect.logWarning(
      `the session is left to lapse instead of being closed: after closeTimeout (${core.settings.closeTimeout} ms) something still ran under a lock; others get it within ${Math.round(core.liveness.timeout)} ms. Let what a lock guards end when it is interrupted or its signal is aborted, or raise closeTimeout`
    )
  )

/** Times requests out: one look at those that have waited longest serves all. */
const sweep = (core: SessionCore, timeout: number): void => {
  const timer = core.alarm.timer()
  const look = (now: number): void => {
    const oldest = core.exchange.expire(now - timeout)
    timer.set(now + (oldest === undefined ? timeout : Math.max(1, oldest + timeout - now)), look)
  }
  look(core.liveness.now())
}

const addAuth = (
  core: SessionCore,
  exposure: Exposure,
  auth: AuthInfo
): Effect.Effect<void, SessionError | InvalidArgument> => {
  const added = Effect.callback<void, SessionError>((resume) => {
    const { refusal } = core.exchange
    if (refusal !== undefined) {
      resume(Effect.fail(refusal))
      return
    }
    const giveUp = core.identities.add(auth, core.link?.writer, resume)
    core.link?.schedule()
    return Effect.sync(giveUp)
  })
  const { requestTimeout } = core.settings
  const late = new RequestTimeout({ operation: Operations.auth.name, path: "", maybeApplied: true })
  return checkAuth(auth, "", core.settings.maxRequestSize).pipe(
    Effect.andThen(core.servers.servers),
    Effect.flatMap(exposure.checkCredentials),
    Effect.andThen(
      requestTimeout === undefined
        ? added
        : Effect.timeoutOrElse(added, { duration: requestTimeout, orElse: () => Effect.fail(late) })
    )
  )
}

/** Asks all that connecting asks of a list; a string without a chroot keeps the one there is. */
const updateServers = Effect.fnUntraced(function* (core: SessionCore, exposure: Exposure, connectString: string) {
  const { chroot } = core.settings.servers
  const parsed = yield* Effect.fromResult(ConnectString.parse(connectString))
  if (parsed.chroot !== "/" && parsed.chroot !== chroot) {
    return yield* new InvalidArgument({
      argument: "servers",
      value: connectString,
      rule: `the chroot of a session cannot change: it is ${chroot}; write that, or none`
    })
  }
  yield* exposure.checkServers(parsed.servers)
  if (hasCredentials(core.settings) || !core.identities.isEmpty) yield* exposure.checkCredentials(parsed.servers)
  if (yield* core.servers.update(parsed.servers, core.link?.server)) core.depart()
})
