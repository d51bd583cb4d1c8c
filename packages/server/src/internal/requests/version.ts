/** Whether the version that a request expects is the one there; -1 expects any. */
export const isVersion = (expected: number, actual: number): boolean => expected === -1 || expected === actual

/** Versions go round, through -1 as well, which then nobody can expect. */
export const nextVersion = (version: number): number => (version + 1) | 0
