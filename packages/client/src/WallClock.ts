/**
 * Time that goes on while the machine sleeps, for recipes that measure a deadline of their own.
 *
 * Stability: low. It may change in any version.
 *
 * @since 0.1.0
 */
export {
  /**
   * @category models
   * @since 0.1.0
   */
  WallClock
} from "@effect-zookeeper/session/WallClock"
