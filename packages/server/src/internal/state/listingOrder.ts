/** The order in which a server lists what it keeps in sets: children, and the ephemeral znodes of a session. */

/**
 * The names in the order of a Java HashSet, as a real server keeps them. The order says nothing of when the znodes were made:
 * code that relies on it would fail beside a real server. `room` is the capacity with which the set begins: 8 for children, 16
 * for the ephemeral znodes of a session. A set that once had more names keeps its larger capacity, which is forgotten here.
 */
export const inServerOrder = (names: Iterable<string>, room: 8 | 16): Array<string> => {
  const listed = [...names]
  if (listed.length < 2) return listed
  // A set doubles its room when it is more than three quarters full.
  let capacity: number = room
  while (listed.length > capacity * 0.75) capacity *= 2
  // Each name goes to its bucket; within one, names stay as they came.
  const buckets = new Uint32Array(listed.length)
  const next = new Uint32Array(capacity + 1)
  for (let index = 0; index < listed.length; index++) {
    const bucket = spread(listed[index]!) & (capacity - 1)
    buckets[index] = bucket
    next[bucket + 1]!++
  }
  for (let bucket = 1; bucket < capacity; bucket++) next[bucket]! += next[bucket - 1]!
  const ordered = listed.slice()
  for (let index = 0; index < listed.length; index++) ordered[next[buckets[index]!]!++] = listed[index]!
  return ordered
}

/** `String.hashCode`, its upper half folded into the lower as a HashMap does. */
const spread = (name: string): number => {
  let hash = 0
  for (let index = 0; index < name.length; index++) hash = (Math.imul(hash, 31) + name.charCodeAt(index)) | 0
  return hash ^ (hash >>> 16)
}
