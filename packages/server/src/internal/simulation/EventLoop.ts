import type * as Fiber from "effect/Fiber"
import { NodeClock } from "./NodeClock.ts"
import { NodeScheduler, type Process } from "./NodeScheduler.ts"
import { Prng } from "./Prng.ts"
import { TimerHeap } from "./TimerHeap.ts"
import { TraceHash } from "./TraceHash.ts"

type AnyFiber = Fiber.Fiber<unknown, unknown>

/** A line of a recorded run. */
interface TraceEntry {
  /** Virtual milliseconds. */
  readonly time: number
  readonly text: string
}

interface Runnable {
  readonly run: () => void
  readonly node: LoopNode
}

/** How many fibers are remembered, at least, before those that have ended are forgotten. */
const MANY_FIBERS = 8192

/** Runs the tasks of a simulation in an order that the seed decides. Everything here is synchronous. */
export class EventLoop {
  /** Virtual nanoseconds since the start. */
  now = 0
  steps = 0
  readonly random: Prng
  readonly hash = new TraceHash()
  readonly timers = new TimerHeap()
  readonly entries: Array<TraceEntry> = []
  readonly main: LoopNode
  private readonly order: Prng
  private readonly maxStepCost: number
  private readonly isRecording: boolean
  private readonly operationsBetweenYields: number
  private readonly ready: Array<Runnable> = []
  private readonly nodes: Array<LoopNode> = []
  private fibers = new Map<AnyFiber, number>()
  private fibersSeen = 0
  private mostFibers = MANY_FIBERS
  private lastFiber: AnyFiber | undefined
  private operationsLeft = 0

  constructor(options: {
    readonly seed: number
    readonly startsAt: number
    readonly maxStepCost: number
    readonly isRecording: boolean
    readonly operationsBetweenYields: number | undefined
  }) {
    this.order = new Prng(options.seed, 1)
    this.random = new Prng(options.seed, 2)
    this.maxStepCost = options.maxStepCost
    this.isRecording = options.isRecording
    // Some runs switch fibers at every step, others only when a fiber waits: each finds different bugs.
    this.operationsBetweenYields =
      options.operationsBetweenYields ?? OPERATIONS_BETWEEN_YIELDS[this.order.below(OPERATIONS_BETWEEN_YIELDS.length)]!
    this.main = this.addNode("main", options.startsAt)
  }

  addNode(name: string, startsAt: number): LoopNode {
    const node = new LoopNode(this, name, startsAt)
    this.nodes.push(node)
    return node
  }

  // ---------------------------------------------------------------------------
  // tasks
  // ---------------------------------------------------------------------------

  schedule(node: LoopNode, run: () => void): void {
    if (node.isPaused) node.parked.push(run)
    else this.ready.push({ run, node })
  }

  pause(node: LoopNode): void {
    if (node.isPaused) return
    node.isPaused = true
    let kept = 0
    for (const runnable of this.ready) {
      if (runnable.node === node) node.parked.push(runnable.run)
      else this.ready[kept++] = runnable
    }
    this.ready.length = kept
  }

  resume(node: LoopNode): void {
    if (!node.isPaused) return
    node.isPaused = false
    for (const run of node.parked) this.ready.push({ run, node })
    node.parked.length = 0
  }

  get hasReady(): boolean {
    return this.ready.length > 0
  }

  /** Runs one of the tasks that can run. */
  step(): void {
    const { ready } = this
    const index = this.order.below(ready.length)
    const chosen = ready[index]!
    const last = ready.pop()!
    if (index < ready.length) ready[index] = last
    this.steps++
    if (this.maxStepCost > 0) this.now += this.order.below(this.maxStepCost + 1)
    this.hash.add(index)
    this.hash.add(ready.length)
    this.hash.add(this.now)
    chosen.run()
  }

  /** Fires all timers that are due. */
  fireDue(): void {
    let timer = this.timers.takeDue(this.now)
    while (timer !== undefined) {
      this.hash.add(timer.order)
      timer.fire()
      timer = this.timers.takeDue(this.now)
    }
  }

  /**
   * Whether a fiber gives way to others before its next operation; never before its first one, as with Effect's own
   * scheduler. If a fiber is interrupted before it has begun, its first operation is its end. If that were put off, the task
   * that begins the fiber would run its effect, and no interruption would come any more.
   */
  shouldYield(fiber: AnyFiber): boolean {
    const isFirst = fiber !== this.lastFiber && this.hasSeen(fiber)
    if (--this.operationsLeft > 0) return false
    if (isFirst) {
      this.operationsLeft = 1
      return false
    }
    this.operationsLeft = 1 + this.order.below(this.operationsBetweenYields * 2)
    return true
  }

  // ---------------------------------------------------------------------------
  // trace and fibers
  // ---------------------------------------------------------------------------

  note(text: string): void {
    this.hash.addText(text)
    if (this.isRecording) this.entries.push({ time: this.now / 1e6, text })
  }

  /** Adds a line for people, which is not a part of the hash. */
  comment(text: () => string): void {
    if (this.isRecording) this.entries.push({ time: this.now / 1e6, text: text() })
  }

  /** The fibers that have begun and not ended, each with its number. */
  get alive(): Array<readonly [number, AnyFiber]> {
    const alive: Array<readonly [number, AnyFiber]> = []
    for (const [fiber, order] of this.fibers) if (fiber.pollUnsafe() === undefined) alive.push([order, fiber])
    return alive
  }

  get pausedNodes(): ReadonlyArray<string> {
    return this.nodes.filter((node) => node.isPaused).map((node) => node.name)
  }

  /** Remembers the running fiber; true if it is new. */
  private hasSeen(fiber: AnyFiber): boolean {
    this.lastFiber = fiber
    if (this.fibers.has(fiber)) return false
    if (this.fibers.size >= this.mostFibers) {
      this.fibers = new Map(this.alive.map(([order, alive]) => [alive, order]))
      // If most of them are alive, this must not run again for each new fiber.
      this.mostFibers = Math.max(MANY_FIBERS, 2 * this.fibers.size)
    }
    this.fibers.set(fiber, ++this.fibersSeen)
    return true
  }
}

/** Mean numbers of operations between two yields. */
const OPERATIONS_BETWEEN_YIELDS = [3, 16, 64, 512]

/** A process of the world. It has its own clocks, and can be paused. */
export class LoopNode implements Process {
  readonly name: string
  readonly loop: EventLoop
  readonly clock: NodeClock
  readonly scheduler: NodeScheduler
  isPaused = false
  readonly parked: Array<() => void> = []

  constructor(loop: EventLoop, name: string, startsAt: number) {
    this.loop = loop
    this.name = name
    this.clock = new NodeClock(loop, startsAt)
    this.scheduler = new NodeScheduler(this)
  }

  schedule(task: () => void): void {
    this.loop.schedule(this, task)
  }

  shouldYield(fiber: AnyFiber): boolean {
    return this.loop.shouldYield(fiber)
  }
}
