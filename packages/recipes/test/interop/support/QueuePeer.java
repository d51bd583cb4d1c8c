import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import org.apache.curator.framework.CuratorFramework;
import org.apache.curator.framework.CuratorFrameworkFactory;
import org.apache.curator.framework.recipes.queue.*;
import org.apache.curator.framework.recipes.shared.SharedCount;
import org.apache.curator.framework.state.ConnectionState;
import org.apache.curator.retry.RetryNTimes;

/**
 * Shares queues and a counter with ours by Curator: takes two items of a queue with a lock path and two of a queue with
 * priorities, puts one into each, and counts three. Prints what it took. The arguments are host:port and the path in which
 * they stand.
 */
public class QueuePeer {
  static final List<String> taken = new CopyOnWriteArrayList<>();

  static final QueueSerializer<String> text = new QueueSerializer<>() {
    public byte[] serialize(String item) {
      return item.getBytes(StandardCharsets.UTF_8);
    }

    public String deserialize(byte[] bytes) {
      return new String(bytes, StandardCharsets.UTF_8);
    }
  };

  static final QueueConsumer<String> consumer = new QueueConsumer<>() {
    public void consumeMessage(String message) {
      taken.add(message);
    }

    public void stateChanged(CuratorFramework client, ConnectionState state) {}
  };

  public static void main(String[] args) throws Exception {
    CuratorFramework zk = CuratorFrameworkFactory.newClient(args[0], 10000, 10000, new RetryNTimes(100, 100));
    zk.start();
    zk.blockUntilConnected();
    String path = args[1];
    String locks = path + "/locks";

    try (DistributedQueue<String> queue =
        QueueBuilder.builder(zk, consumer, text, path + "/plain").lockPath(locks).buildQueue()) {
      queue.start();
      while (taken.size() < 2) Thread.sleep(10);
      Thread.sleep(100);
    }
    try (DistributedQueue<String> queue = QueueBuilder.builder(zk, null, text, path + "/plain").buildQueue()) {
      queue.start();
      queue.put("of Curator");
      queue.flushPuts(10, java.util.concurrent.TimeUnit.SECONDS);
    }
    try (DistributedPriorityQueue<String> queue =
        QueueBuilder.builder(zk, consumer, text, path + "/priorities").buildPriorityQueue(1)) {
      queue.start();
      while (taken.size() < 4) Thread.sleep(10);
      Thread.sleep(100);
    }
    try (DistributedPriorityQueue<String> queue =
        QueueBuilder.builder(zk, null, text, path + "/priorities").buildPriorityQueue(1)) {
      queue.start();
      queue.put("urgent, of Curator", -5);
      queue.flushPuts(10, java.util.concurrent.TimeUnit.SECONDS);
    }
    try (SharedCount count = new SharedCount(zk, path + "/shared", 0)) {
      count.start();
      while (!count.trySetCount(count.getVersionedValue(), count.getCount() + 3)) {}
    }
    System.out.println(String.join("|", taken));
    zk.close();
  }
}
