import type * as Fiber from "effect/Fiber"
import type * as Scheduler from "effect/Scheduler"

/** The process to which the tasks of a scheduler belong. */
export interface Process {
  readonly name: string
  /** Adds a task to those that can run. */
  readonly schedule: (task: () => void) => void
  /** Whether a fiber gives way to others before its next operation. */
  readonly shouldYield: (fiber: Fiber.Fiber<unknown, unknown>) => boolean
}

/** Adds the tasks of one process to the simulation. Priorities have no effect: every order is possible. */
export class NodeScheduler implements Scheduler.Scheduler, Scheduler.SchedulerDispatcher {
  readonly executionMode = "async"
  readonly process: Process

  constructor(process: Process) {
    this.process = process
  }

  shouldYield(fiber: Fiber.Fiber<unknown, unknown>): boolean {
    return this.process.shouldYield(fiber)
  }

  makeDispatcher(): Scheduler.SchedulerDispatcher {
    return this
  }

  scheduleTask(task: () => void): void {
    this.process.schedule(task)
  }

  /** Does nothing: tasks run in their turns only. */
  flush(): void {}
}
