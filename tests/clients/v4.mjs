// Drives the published client of the customers' API against a server, and prints what it makes of the answers.
// node v4.mjs <folder of packages> <base URL> <organization> <token> <token for downloads> <invoice> <coupon> <no coupon>
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';

const [packages, baseUrl, ownerId, token, downloadToken, invoiceNumber, couponName, unknownCoupon] = process.argv.slice(2);
const { resolve } = createRequire(pathToFileURL(`${packages}/`));
const load = (file) => import(pathToFileURL(resolve(`@clevercloud/client/${file}`)));

const { CcApiClient } = await load('cc-api-client.js');
const { ActivateCouponCommand } = await load('cc-api-commands/credits/activate-coupon-command.js');
const { GetCreditsSummaryCommand } = await load('cc-api-commands/credits/get-credits-summary-command.js');
const { GetInvoiceCommand } = await load('cc-api-commands/invoice/get-invoice-command.js');
const { GetInvoiceHtmlCommand } = await load('cc-api-commands/invoice/get-invoice-html-command.js');
const { GetInvoicePdfCommand } = await load('cc-api-commands/invoice/get-invoice-pdf-command.js');
const { GetInvoiceUrl } = await load('cc-api-commands/invoice/get-invoice-url.js');
const { ListInvoiceCommand } = await load('cc-api-commands/invoice/list-invoice-command.js');
const { ListUnpaidInvoiceCommand } = await load('cc-api-commands/invoice/list-unpaid-invoice-command.js');
const { ListPaymentMethodCommand } = await load('cc-api-commands/payment-method/list-payment-method-command.js');
const older = await load('esm/api/v4/billing.js');
const { GetPriceSystemCommand } = await load('cc-api-commands/price-system/get-price-system-command.js');

const as = (apiToken) => new CcApiClient({ baseUrl, authMethod: { type: 'api-token', apiToken } });
const client = as(token);
const failure = (promise) => promise.then(() => null, (error) => ({ code: error.code, status: error.statusCode }));

// The older functions only say what to request; web components send it like this.
const send = async (description) => {
  const { method, url, headers, queryParams = {} } = await description;
  const address = new URL(url, baseUrl);
  Object.entries(queryParams).forEach(([name, value]) => address.searchParams.set(name, value));
  const response = await fetch(address, { method, headers: { ...headers, Authorization: `Bearer ${token}` } });
  return response.headers.get('Content-Type').startsWith('application/json') ? response.json() : response.status;
};
const id = ownerId;

const linkOf = (apiToken) => as(apiToken).getUrl(new GetInvoiceUrl({ ownerId, invoiceNumber, format: 'pdf' }));
const pdf = await client.send(new GetInvoicePdfCommand({ ownerId, invoiceNumber }));

const found = {
  invoices: await client.send(new ListInvoiceCommand({ ownerId })),
  since: await client.send(new ListInvoiceCommand({ ownerId, since: new Date('2026-11-01T12:00:00Z'), limit: 1 })),
  unpaid: await client.send(new ListUnpaidInvoiceCommand({ ownerId })),
  invoice: await client.send(new GetInvoiceCommand({ ownerId, invoiceNumber })),
  html: await client.send(new GetInvoiceHtmlCommand({ ownerId, invoiceNumber })),
  pdf: typeof pdf === 'string' ? pdf.slice(0, 5) : await new Response(pdf).text().then((text) => text.slice(0, 5)),
  link: await fetch(linkOf(downloadToken)).then((response) => response.status),
  linkWithOtherToken: await fetch(linkOf(token)).then((response) => response.status),
  credits: await client.send(new GetCreditsSummaryCommand({ ownerId })),
  prices: await client.send(new GetPriceSystemCommand({ ownerId, zone: 'par' })),
  methods: await client.send(new ListPaymentMethodCommand({ ownerId })),
  coupon: await client.send(new ActivateCouponCommand({ ownerId, couponName })),
  twice: await failure(client.send(new ActivateCouponCommand({ ownerId, couponName }))),
  unknown: await failure(client.send(new ActivateCouponCommand({ ownerId, couponName: unknownCoupon }))),
  elsewhere: await client.send(new ListInvoiceCommand({ ownerId: 'orga_elsewhere' })),
  nowhere: await client.send(new GetInvoiceCommand({ ownerId, invoiceNumber: 'NOPE' })),
  older: {
    credits: await send(older.getCreditsSummary({ id })),
    invoices: await send(older.getAllInvoices({ id, since: '2026-11-01T00:00:00Z' })),
    unpaid: await send(older.getAllUnpaidInvoices({ id })),
    invoice: await send(older.getInvoice({ id, invoiceNumber, type: '' })),
    page: await send(older.getInvoice({ id, invoiceNumber, type: '.html' })),
    methods: await send(older.getPaymentMethods({ id })),
    ownPrices: await send(older.getOrganisationPriceSystem({ owner_id: ownerId, zone_id: 'par' })),
    prices: await send(older.getPriceSystem({ zone_id: 'par', currency: 'EUR' })),
    notThere: await send(older.initPaypalPayment({ id, invoiceNumber })),
  },
  stranger: await failure(as('uim_00000000_nobody').send(new ListInvoiceCommand({ ownerId }))),
};
console.log(JSON.stringify(found));
