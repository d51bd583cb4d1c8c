/**
 * A process that connects nowhere by itself, for jobs that open sessions of their own.
 */
import type { Connect } from "../contestant.ts"

const nothing = () => Promise.resolve()

export const connect: Connect = () =>
  Promise.resolve({ prepare: () => nothing, allFired: nothing, getOnce: nothing, close: nothing })
