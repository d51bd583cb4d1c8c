import * as Getters from "@effect-zookeeper/protocol/Getters"
import { someLong } from "@effect-zookeeper/protocol/Json"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import type { SessionClosing } from "../SessionInfo.ts"
import type { TimerQueue, Timer } from "./time/TimerQueue.ts"
import type { GuardCallback } from "./guardCallback.ts"
import { elementsOf, type SmallSet, withElement, withoutElement } from "./SmallSet.ts"

/** How long to wait for things that are given back while the session is not being closed, in milliseconds. */
const MAX_GIVE_BACK = 1000

/** The share of a close that is left for the close request when giving back takes longer. */
const CLOSE_REQUEST_SHARE = 0.1

/**
 * The close of a session: everything that it waits for, and until when. There is one deadline for holds and for things that
 * are given back, side by side, and for the close request to the server.
 */
export class CloseCoordinator {
  private readonly timers: TimerQueue
  private readonly guardCallback: GuardCallback
  /** Milliseconds. */
  private readonly timeout: number
  private readonly timer: Timer
  /** Holds by ephemeral znodes, which the end of the session would delete. */
  private ephemeral: SmallSet<object> = undefined
  private persistent: SmallSet<object> = undefined
  /** Effects that go on in the background, with the time of their beginning, the oldest first; undefined before there are any. */
  private errands: Map<Fiber.Fiber<unknown, unknown>, number> | undefined
  private listeners: SmallSet<() => void> = undefined
  /** The calls that wait for something that is given back, and until when they do; undefined before there are any. */
  private giveBacks: Map<() => void, number> | undefined
  private readonly giveBackTimer: Timer
  private onSettled: (() => void) | undefined
  private isSessionOver = false
  private isEnded = false
  /** When the close must be done, in monotonic milliseconds; undefined until it begins. */
  deadline: number | undefined

  constructor(timers: TimerQueue, guardCallback: GuardCallback, timeout: number) {
    this.timers = timers
    this.guardCallback = guardCallback
    this.timeout = timeout
    this.timer = timers.makeTimer()
    this.giveBackTimer = timers.makeTimer()
  }

  get isBegun(): boolean {
    return this.deadline !== undefined
  }

  /** Whether something runs under what the session owns: ending it now would give that to others. */
  get isHeld(): boolean {
    return this.ephemeral !== undefined
  }

  /** Sets the deadline. `notify` then tells the effects that wait for the close to begin. */
  begin(now: number): void {
    // A Scope gives things back one after the other when it begins to close: that is part of the same close.
    const since = this.errandsSince
    this.deadline = (since !== undefined && since > now - this.timeout ? since : now) + this.timeout
  }

  notify(): void {
    const listeners = elementsOf(this.listeners)
    this.listeners = undefined
    for (const listener of listeners) this.guardCallback(listener)
  }

  /** The session has ended before it was closed: other clients may have what was held, and there is nothing to wait for. */
  sessionEnded(): void {
    this.ephemeral = undefined
    this.persistent = undefined
    this.isSessionOver = this.isBegun
    this.check()
  }

  /** Ends all waiting, and everything in the background. */
  end(): void {
    this.isEnded = true
    this.timer.clear()
    this.endGiveBacks(Number.POSITIVE_INFINITY)
    if (this.errands !== undefined) for (const fiber of [...this.errands.keys()]) fiber.interruptUnsafe()
  }

  /** Ends the wait for things that are given back. Returns false if something else is waited for, or nothing. */
  stopWaiting(): boolean {
    if (this.onSettled === undefined || this.isHeld) return false
    this.onSettled()
    return true
  }

  /** Completes when the session may be ended, or there is no more time to wait for that. */
  get settled(): Effect.Effect<void> {
    return Effect.callback((resume) => {
      const onSettled = () => {
        this.onSettled = undefined
        this.timer.clear()
        resume(Effect.void)
      }
      this.onSettled = onSettled
      this.check()
    })
  }

  /** Completes as soon as the close begins. */
  readonly begun: Effect.Effect<void> = Effect.callback((resume) => {
    if (this.isBegun) return resume(Effect.void)
    const listener = () => resume(Effect.void)
    this.listeners = withElement(this.listeners, listener)
    return Effect.sync(() => {
      this.listeners = withoutElement(this.listeners, listener)
    })
  })

  readonly hold = (by: "ephemeral" | "persistent"): Effect.Effect<Effect.Effect<void>> =>
    Effect.sync(() => {
      const held = {}
      this[by] = withElement(this[by], held)
      return Effect.sync(() => {
        this[by] = withoutElement(this[by], held)
        this.check()
      })
    })

  /** Begins an effect that goes on whatever becomes of its caller, until its own end or the session's. */
  readonly errand = <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<Fiber.Fiber<A, E>, never, R> =>
    // The errand enters itself with its first step: a close that begins before its caller goes on has to wait for it.
    Effect.forkDetach(
      Effect.withFiber((fiber) => {
        this.enterErrand(fiber)
        return effect
      }),
      { startImmediately: true }
    )

  readonly giveBack = <R>(effect: Effect.Effect<unknown, unknown, R>): Effect.Effect<void, never, R> =>
    Effect.suspend(() => {
      const now = this.timers.now()
      // One timeout for everything that is given back together: on a server that hangs, many take no longer than one.
      const timeout = (this.errandsSince ?? now) + Math.min(MAX_GIVE_BACK, this.timeout) - now
      return Effect.flatMap(this.errand(effect), (fiber) =>
        timeout <= 0 || fiber.pollUnsafe() !== undefined ? Effect.void : this.waitForErrand(fiber, now + timeout)
      )
    })

  /** The close as recipes see it. */
  readonly info: SessionClosing = addDeadline<Omit<SessionClosing, "deadline">>(
    { begun: this.begun, hold: this.hold, giveBack: this.giveBack },
    this
  )

  private enterErrand(fiber: Fiber.Fiber<unknown, unknown>): void {
    const errands = (this.errands ??= new Map<Fiber.Fiber<unknown, unknown>, number>())
    errands.set(fiber, this.timers.now())
    fiber.addObserver(() => {
      errands.delete(fiber)
      this.check()
    })
  }

  private get errandsSince(): number | undefined {
    if (this.errands !== undefined) for (const since of this.errands.values()) return since
    return undefined
  }

  /** Waits for an effect in the background until a time, or until the session is being closed; then the close waits for it. */
  private waitForErrand(fiber: Fiber.Fiber<unknown, unknown>, until: number): Effect.Effect<void> {
    const isDone = () => this.isBegun || fiber.pollUnsafe() !== undefined
    const waiting = Effect.callback<void>((resume) => {
      if (this.isEnded || isDone()) return resume(Effect.void)
      const done = () => {
        stop()
        resume(Effect.void)
      }
      const forget = fiber.addObserver(done)
      const giveBacks = (this.giveBacks ??= new Map<() => void, number>())
      const stop = () => {
        this.listeners = withoutElement(this.listeners, done)
        giveBacks.delete(done)
        if (giveBacks.size === 0) this.giveBackTimer.clear()
        forget()
      }
      this.listeners = withElement(this.listeners, done)
      giveBacks.set(done, until)
      if (until < this.giveBackTimer.at) this.giveBackTimer.set(until, (now) => this.endGiveBacks(now))
      return Effect.sync(stop)
    })
    // When the session has ended its timers have stopped.
    const waitingAfterEnd = Effect.suspend(() =>
      !this.isEnded || isDone()
        ? Effect.void
        : Effect.asVoid(Effect.timeoutOption(Fiber.await(fiber), until - this.timers.now()))
    )
    return Effect.andThen(waiting, waitingAfterEnd)
  }

  private endGiveBacks(now: number): void {
    const { giveBacks } = this
    if (giveBacks === undefined) return
    for (const [done, until] of giveBacks) if (until <= now) done()
    if (giveBacks.size === 0) return
    this.giveBackTimer.set(Math.min(...giveBacks.values()), (at) => this.endGiveBacks(at))
  }

  private check(): void {
    const { deadline, onSettled } = this
    if (onSettled === undefined || deadline === undefined) return
    const now = this.timers.now()
    const closeRequestAt = deadline - this.timeout * CLOSE_REQUEST_SHARE
    if (this.isSessionOver || now >= deadline) return onSettled()
    const isBusy = this.persistent !== undefined || (this.errands !== undefined && this.errands.size > 0)
    if (!this.isHeld && (!isBusy || now >= closeRequestAt)) return onSettled()
    this.timer.set(now < closeRequestAt ? closeRequestAt : deadline, () => this.check())
  }
}

const addDeadline = Getters.make<CloseCoordinator, Pick<SessionClosing, "deadline">>({
  deadline: ({ deadline }) =>
    deadline === undefined ? Option.none() : someLong(BigInt(Math.floor(deadline * 1_000_000)))
})
