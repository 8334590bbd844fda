"""Write a replication folder of a publication by the template of the AEA's data editor."""
