/**
 * The clock that goes on while the machine sleeps, for recipes that measure their own deadlines.
 *
 * Stability: low. It may change in any version.
 *
 * @since 0.1.0
 */
export {
  /**
   * The leaps of the wall clock beside the monotonic one; see `WallClock` of the session.
   *
   * @category models
   * @since 0.1.0
   */
  WallClock
} from "@effect-zookeeper/session/WallClock"
