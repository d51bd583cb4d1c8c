import type * as Fiber from "effect/Fiber"
import type * as Scheduler from "effect/Scheduler"
import type { LoopNode } from "./EventLoop.ts"

/** Puts the tasks of one process into the world's. Priorities mean nothing: every order is possible. */
export class NodeScheduler implements Scheduler.Scheduler, Scheduler.SchedulerDispatcher {
  readonly executionMode = "async"
  readonly node: LoopNode

  constructor(node: LoopNode) {
    this.node = node
  }

  shouldYield(fiber: Fiber.Fiber<unknown, unknown>): boolean {
    return this.node.loop.shouldYield(fiber)
  }

  makeDispatcher(): Scheduler.SchedulerDispatcher {
    return this
  }

  scheduleTask(task: () => void): void {
    this.node.loop.schedule(this.node, task)
  }

  /** Nothing is done out of turn. */
  flush(): void {}
}
