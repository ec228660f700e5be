package provider

// GeneratedName is generatedName, for a test of all its outcomes.
var GeneratedName = generatedName
