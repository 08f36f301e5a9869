// Shows the description; the key that somebody types is forgotten with the page.
const docs = document.getElementById("docs");
SwaggerUIBundle({ domNode: docs, url: docs.dataset.schema, deepLinking: true, persistAuthorization: false, validatorUrl: null });
