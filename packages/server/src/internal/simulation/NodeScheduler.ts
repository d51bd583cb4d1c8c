import type * as Fiber from "effect/Fiber"
import type * as Scheduler from "effect/Scheduler"

/** The process whose tasks a scheduler takes. */
export interface Process {
  readonly name: string
  /** Makes a task one of those that can run. */
  readonly schedule: (task: () => void) => void
  /** Whether a fiber gives way to others before its next operation. */
  readonly shouldYield: (fiber: Fiber.Fiber<unknown, unknown>) => boolean
}

/** Puts the tasks of one process into the world's. Priorities mean nothing: every order is possible. */
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

  /** Nothing is done out of turn. */
  flush(): void {}
}
