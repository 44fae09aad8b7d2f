import type { RequestHandler } from 'express'
import { merchantKey } from '../../domain/business-identifier.ts'
import { BeingReadError, GoneError, NotFoundError, NotSharedError } from '../../errors.ts'
import { readStored } from '../../management-api/lenient.ts'
import { configurationSwitches, type SalesUnit, salesUnit } from '../../management-api/sales-units.ts'
import { isMerchantIdentifier, msnPattern, type Organisation } from '../../domain/organisation.ts'
import { findSalesUnit, type StoredSalesUnit } from '../../store/sales-units.ts'
import type { Lists } from '../../sync/freshness.ts'
import { actingAs, listsHere, pathParameter } from '../request-state.ts'
import type { PageDeps } from '../deps.ts'
import { historyOf } from '../history.ts'
import { noteViewed } from '../search/recent.ts'
import { settingDocumentation } from '../documentation.ts'
import { pricePackageAnswer } from '../price-packages/answer.ts'
import { allPricePackages } from '../price-packages/rows.ts'
import { relatedOrders, relatedSalesUnits, relatedWebhooks, withoutThis } from '../related.ts'

/** The order of the settings on the page. */
const [paymentAllowed, ...otherSwitches] = configurationSwitches
const settings: readonly string[] = [paymentAllowed, 'captureType', ...otherSwitches]

/** `GET …/sales-units/:msn`: a sales unit with its settings, merchant and history. */
export function showSalesUnit(deps: Pick<PageDeps, 'database' | 'freshness'>): RequestHandler {
  return async (req, res) => {
    const msn = pathParameter(req, 'msn')
    if (!msnPattern.test(msn)) throw new NotFoundError('malformed MSN')
    const organisation = actingAs(res)
    const db = deps.database.pages
    const { stored, fresh } = await load(deps, organisation, msn, {
      lists: listsHere(res),
      userId: req.user?.id,
    })
    const details = stored.details ? readStored(salesUnit, stored.details) : undefined
    const { language, role } = res.locals
    const related = { db, organisation, language, role }
    const isPartner = organisation.kind === 'partner'
    const units = details?.businessIdentifier
      ? await relatedSalesUnits(related, merchantKey(details.businessIdentifier))
      : undefined
    const history = await historyOf(deps, res, 'salesUnit', msn)
    const orders = isPartner ? await relatedOrders(related, { msn }) : undefined
    const webhooks = await relatedWebhooks(related, { msn })
    const packages = isPartner ? await allPricePackages(db, organisation) : undefined
    noteViewed(req, stored.name)
    res.render('sales-units/detail', {
      title: `${stored.name} (${msn})`,
      stored,
      details,
      missingMerchant: missingMerchant(deps, organisation, stored, details),
      configuration: details && configurationOf(details.configuration, res.locals.language.has),
      others: units && withoutThis(units, (unit) => unit.msn === msn),
      orders,
      webhooks,
      answer:
        packages &&
        pricePackageAnswer(packages, {
          ...stored,
          scheme: details?.businessIdentifier?.scheme,
          product: stored.product ?? undefined,
        }),
      history,
      fresh,
    })
  }
}

/** Why the page has no merchant, as the list says it: a key of `common`. Requests a merchant that was never read. */
function missingMerchant(
  { freshness }: Pick<PageDeps, 'freshness'>,
  organisation: Organisation,
  { isMerchantRead }: StoredSalesUnit,
  details: SalesUnit | undefined,
): 'unknown' | 'notShared' | 'notRead' {
  const identifier = details?.businessIdentifier
  if (!identifier) return 'unknown'
  if (isMerchantRead || !isMerchantIdentifier(identifier)) return 'notShared'
  freshness.requestUnread(organisation, 'merchant', [merchantKey(identifier)])
  return 'notRead'
}

async function load(
  { database, freshness }: Pick<PageDeps, 'database' | 'freshness'>,
  organisation: Organisation,
  msn: string,
  ask: { readonly lists: Lists; readonly userId: string | undefined },
) {
  const db = database.pages
  const known = await findSalesUnit(db, organisation, msn)
  const isKnown = known !== undefined && !known.removedAt
  const fresh = await freshness.record(organisation, 'salesUnit', msn, {
    isShown: isKnown,
    unlistedFor: !known && ask.lists.get('salesUnits')?.checkedAt ? ask.userId : undefined,
  })
  const stored = known?.details ? known : await findSalesUnit(db, organisation, msn)
  if (!stored && fresh.isBeingRead) throw new BeingReadError(`sales unit ${msn}`)
  if (!stored) throw new NotSharedError('salesUnitNotShared', msn)
  if (stored.removedAt)
    throw new GoneError('salesUnitGone', { title: stored.name, key: msn, removedAt: stored.removedAt })
  return { stored, fresh }
}

/** The configuration as rows of the page: settings with a message first, unknown ones after them. */
function configurationOf(configuration: SalesUnit['configuration'], has: (key: string) => boolean) {
  return Object.entries(configuration)
    .map(([name, value]) => ({
      name,
      value,
      known: has(`configuration.${name}.name`),
      documentation: settingDocumentation[name],
    }))
    .toSorted((a, b) => placeOf(a.name) - placeOf(b.name))
}

function placeOf(name: string): number {
  return settings.includes(name) ? settings.indexOf(name) : settings.length
}
