import de.bwaldvogel.mongo.MongoServer;
import de.bwaldvogel.mongo.MongoVersion;
import de.bwaldvogel.mongo.backend.h2.H2Backend;
import de.bwaldvogel.mongo.bson.Document;
import de.bwaldvogel.mongo.wire.message.MongoMessage;
import java.util.List;
import java.util.Set;

/** A server that speaks MongoDB's protocol: {@code java -cp 'build/mongodb/*' Server.java PORT [FILE]}, until stdin ends. */
class Server {
    /** PyMongo speaks to nobody who says less; of what came in with it nothing is used. */
    private static final MongoVersion VERSION = new MongoVersion() {
        @Override
        public List<Integer> getVersionArray() {
            return List.of(4, 4, 0);
        }

        @Override
        public int getWireVersion() {
            return 9;
        }
    };

    public static void main(String[] arguments) throws Exception {
        H2Backend backend = arguments.length > 1 ? new Durable(arguments[1]) : H2Backend.inMemory();
        new MongoServer(backend.version(VERSION)).bind("127.0.0.1", Integer.parseInt(arguments[0]));
        while (System.in.read() != -1) {
            // whoever started it is still there
        }
        Runtime.getRuntime().halt(0);
    }

    /** Has on disk what it acknowledged, as a journaled mongod would: H2 writes it some time later if nobody asks. */
    private static class Durable extends H2Backend {
        private static final Set<String> READS = Set.of("find", "aggregate", "count", "distinct", "getMore", "killCursors");

        Durable(String file) {
            super(file);
        }

        @Override
        public Document handleMessage(MongoMessage message) {
            Document answer = super.handleMessage(message);
            if (!READS.contains(message.getDocument().keySet().iterator().next())) {
                commit();
                getMvStore().sync();
            }
            return answer;
        }
    }
}
