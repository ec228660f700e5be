// Package regional owns the ids of Scaleway's regional objects, as users write
// them: "region/uuid", or a bare uuid where the region is known from elsewhere.
// It does not know what the objects are.
package regional
