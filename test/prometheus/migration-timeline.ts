/** A migration of 50 nodes, with all that can go wrong in one, and what the rules make of it. */
import { Timeline } from './timeline.ts';

const PUBLIC = 'cluster_route:eks_endpoint_node_route:sum{route="public"}';
const COUNT = 'cluster:eks_endpoint_exporters:count';
const MOVED = 'cluster:eks_endpoint_x_eni_nodes:ratio';
const OFF = 'cluster:eks_endpoint_off_x_eni_nodes:sum';
const STALE = 'cluster_client:eks_endpoint_stale_connections:sum{client="kubelet"}';
const READY = 'cluster_gate_state:eks_endpoint_gate:sum{gate="private-ready", state="true"}';
const FREE = 'cluster_gate_state:eks_endpoint_gate:sum{gate="public-free", state="true"}';
const FINISHED = 'cluster:eks_endpoint_migration_finished:bool';

/** Minute by minute, for rules in this file. */
export function migrationTimeline(rulesFile: string): string {
  const fleet = new Timeline(50);

  // Before: all are public, nothing is expected of them, and each could reach the X-ENIs.
  fleet.until(30);
  fleet.expect({}, { [COUNT]: 50, [PUBLIC]: 50, [MOVED]: 0, [OFF]: 50, [STALE]: 0, [READY]: 50, [FREE]: 0 });

  // Private access is turned on: DNS flips, and x-eni is expected from now on. The connections stay where they are.
  fleet.change({ expected: 'x-eni', dns: 'x-eni' });
  fleet.until(32);
  fleet.expect({}, { [PUBLIC]: 50, [MOVED]: 0, [STALE]: 50, [READY]: 50 });

  // Somebody takes the last two nodes out of the X-ENIs' security group. Nothing is to be seen of that on their connections.
  fleet.change({ admitted: false }, [49, 50]);
  fleet.until(35);

  // The others move, in batches.
  fleet.change({ connected: 'x-eni' }, [1, 20]);
  fleet.until(37);
  fleet.expect({}, { [PUBLIC]: 30, [MOVED]: 0.4, [STALE]: 30, [READY]: 48, [FREE]: 20 });
  fleet.until(38);
  fleet.expect({ EksEndpointXEniUnreachable: ['n49', 'n50'] });
  fleet.until(40);
  fleet.change({ connected: 'x-eni' }, [21, 40]);
  fleet.until(43);
  fleet.change({ connected: 'x-eni' }, [41, 48]);
  fleet.until(45);
  fleet.expect(
    { EksEndpointXEniUnreachable: ['n49', 'n50'] },
    { [PUBLIC]: 2, [MOVED]: 0.96, [STALE]: 2, [FREE]: 48 },
  );

  // Two are stuck: a quarter of an hour after the switch they are off the expected route, and then stale for too long.
  fleet.until(46);
  const stuck = {
    EksEndpointXEniUnreachable: ['n49', 'n50'],
    EksEndpointUnexpectedRoute: ['n49', 'n50'],
  };
  fleet.expect(stuck);
  fleet.until(47);
  const staleToo = { ...stuck, EksEndpointStaleConnection: ['n49', 'n50'] };
  fleet.expect(staleToo);

  // One exporter dies, and another loses its rights: neither node is known to have moved any more.
  fleet.until(50);
  fleet.change({ answers: false }, [7, 7]);
  fleet.until(55);
  fleet.change({ sees: false }, [8, 8]);
  fleet.until(67);
  fleet.expect(staleToo, { [MOVED]: 0.92, [OFF]: 2, [FREE]: 46 });
  fleet.until(70);
  fleet.expect({ ...staleToo, EksEndpointExporterMissing: ['n07'] });
  fleet.until(71);
  fleet.expect({ ...staleToo, EksEndpointExporterMissing: ['n07'], EksEndpointBlind: ['n08'] });

  // All is mended. The exporter has to answer for most of a quarter of an hour before it counts as back.
  fleet.until(75);
  fleet.change({ admitted: true, connected: 'x-eni', answers: true, sees: true });
  fleet.until(76);
  fleet.expect(
    { EksEndpointExporterMissing: ['n07'] },
    { [MOVED]: 1, [OFF]: 0, [STALE]: 0, [READY]: 50, [FREE]: 50 },
  );
  fleet.until(86);
  fleet.expect({});

  // After an hour with everything moved the migration counts as finished.
  fleet.until(134);
  fleet.expect({}, { [FINISHED]: 0 });
  fleet.until(137);
  fleet.expect({}, { [FINISHED]: 1 });

  // One node drifts back: it is given the public answer again, and its kubelet was restarted.
  fleet.until(150);
  fleet.change({ dns: 'public', connected: 'public' }, [23, 23]);
  fleet.until(165);
  fleet.expect({}, { [FINISHED]: 0, [MOVED]: 0.98, [OFF]: 1 });
  fleet.until(166);
  fleet.expect({
    EksEndpointDnsPublic: ['n23'],
    EksEndpointUnexpectedRoute: ['n23'],
    EksEndpointDriftedBack: ['n23'],
  });

  // And that is mended too.
  fleet.until(170);
  fleet.change({ dns: 'x-eni', connected: 'x-eni' }, [23, 23]);
  fleet.until(171);
  fleet.expect({}, { [PUBLIC]: 0, [MOVED]: 1, [FREE]: 50 });

  return fleet.toPromtool(rulesFile, 'a migration of 50 nodes');
}
