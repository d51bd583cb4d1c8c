import type * as Fiber from "effect/Fiber"
import type * as Scheduler from "effect/Scheduler"
import type { WorldNode } from "./World.ts"

/** Puts the tasks of one process into the world's. Priorities mean nothing: every order is possible. */
export class NodeScheduler implements Scheduler.Scheduler, Scheduler.SchedulerDispatcher {
  readonly executionMode = "async"
  readonly node: WorldNode

  constructor(node: WorldNode) {
    this.node = node
  }

  shouldYield(fiber: Fiber.Fiber<unknown, unknown>): boolean {
    return this.node.world.shouldYield(fiber)
  }

  makeDispatcher(): Scheduler.SchedulerDispatcher {
    return this
  }

  scheduleTask(task: () => void): void {
    this.node.world.schedule(this.node, task)
  }

  /** Nothing is done out of turn. */
  flush(): void {}
}
