/** The dashboard of a fleet: how far its migration is, who has not moved and why, and whether public access can go. */
import { RowBuilder } from '@grafana/grafana-foundation-sdk/dashboard';
import { decision } from './fleet-decision.ts';
import { fleetNow } from './fleet-now.ts';
import { progress } from './progress.ts';
import { stragglers } from './stragglers.ts';
import { dashboardOf, MIGRATION_UID, render } from './variables.ts';

export function renderMigrationDashboard(): string {
  const builder = dashboardOf('EKS endpoint: migration', {
    uid: MIGRATION_UID,
    description:
      'By which route the nodes reach their control plane, who has not moved and why, and whether public access can be turned off. Made by eks-endpoint-exporter.',
    from: 'now-6h',
  });
  for (const [title, panels] of Object.entries({
    'Can public access be turned off?': decision(),
    'The nodes now': fleetNow(),
    'Who has not moved, and why': stragglers(),
    'Progress over time': progress(),
  })) {
    builder.withRow(new RowBuilder(title));
    for (const panel of panels) builder.withPanel(panel);
  }
  return render(builder);
}
