/** Whether the version that a request expects is the actual one; -1 matches any version. */
export const isVersion = (expected: number, actual: number): boolean => expected === -1 || expected === actual

/** Versions wrap around, through -1 as well, where a request that expects -1 matches any version. */
export const nextVersion = (version: number): number => (version + 1) | 0
